"""Find middleware that may reject the health check because it has no session."""

from __future__ import annotations

import re

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.package import Package

_NAMES = ("middleware.ts", "middleware.js", "proxy.ts", "proxy.js")
_TURNS_AWAY = re.compile(
    r"\b(?:NextResponse|Response)\s*\.\s*redirect\s*\(|\bstatus\s*:\s*40[13]\b|\bwithAuth\b|\bauth\s*\.\s*protect\b"
    r"|\bredirectToSignIn\b|\bwithMiddlewareAuthRequired\b|\bupdateSession\b"
    r"|\bexport\s*\{\s*(?:auth|default)\s+as\s+(?:middleware|proxy|default)|\bexport\s*\{\s*default\s*\}\s*from\s*[\"']next-auth"
)
_MATCHER = re.compile(r"\bmatcher\s*:\s*(\[(?:[^\]\"'`]|\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`)*\]|[\"'`][^\"'`]*[\"'`])")
# Paths that are guarded by their names: `pathname.startsWith("/dashboard") && !session`, Clerk's isProtectedRoute.
_GUARDED = re.compile(
    r"(?<![!\w.])(?:\w+\.)*startsWith\(\s*[\"'`](/[^\"'`]*)[\"'`]|\bisProtected\w*\s*=\s*createRouteMatcher\(\s*\[\s*[\"'`](/[^\"'`]*)"
)
_TEXT = re.compile(r"[\"'`]((?:[^\"'`\\\n]|\\.)*)[\"'`]")
_COMMENT = re.compile(r"^\s*(?://|\*|/\*).*$", re.MULTILINE)
_LONGEST = 300


def find_middleware(package: Package, found: Detection, path: str) -> None:
    """Warn of a middleware that may answer the probe in the route's place.

    Args:
        package: The application's folder.
        found: Where the warning goes.
        path: The route that is probed, without the base path.
    """
    places = (f"{folder}{name}" for folder in ("", "src/") for name in _NAMES)
    file = next((package.at(name) for name in places if package.has(name)), None)
    text = _COMMENT.sub("", package.repository.text(file) or "") if file else ""
    turned = _TURNS_AWAY.search(text)
    if not file or not turned or not _covers(text, path) or _spares(text, path):
        return
    original = package.repository.text(file) or ""
    at = original.find(turned[0])
    line = original.count("\n", 0, at) + 1
    found.warn(
        f"{file}:{line} may reject requests without a session, including {path}. Then the health check gets no 2xx, "
        f"and the container stays unhealthy. Exclude {path} in its matcher."
    )


def _covers(text: str, path: str) -> bool:
    """Return whether a middleware's matcher has a path. Without a matcher, it has every path."""
    declared = _MATCHER.search(text)
    if not declared:
        return True
    patterns = [match.replace("\\\\", "\\") for match in _TEXT.findall(declared[1])]
    return any(_matches(pattern, path) for pattern in patterns if len(pattern) <= _LONGEST)


def _matches(pattern: str, path: str) -> bool:
    """Match a path as Next.js does: `:name`, with `*`, `+` or `?` behind it, and regular expressions in parentheses."""
    regex = re.sub(r"/:\w+\*", "(?:/.*)?", pattern)
    regex = re.sub(r"/:\w+\+", "/.+", regex)
    regex = re.sub(r"/:\w+\?", "(?:/[^/]+)?", regex)
    regex = re.sub(r"/:\w+(?=\()", "/", regex)
    regex = re.sub(r"/:\w+", "/[^/]+", regex)
    try:
        return re.fullmatch(regex + "/?", path) is not None
    except re.error:
        return False


def _spares(text: str, path: str) -> bool:
    """Return whether a middleware allows a path: it names the path or a parent, or only guards other paths."""
    body = _MATCHER.sub("", text)
    guarded = [(one or other).partition("(")[0] for one, other in _GUARDED.findall(body)]
    if guarded and not any(path.startswith(one) for one in guarded):
        return True
    above = ["/".join(path.split("/")[:end]) for end in range(2, len(path.split("/")) + 1)]
    return any(re.search(rf"[\"'`(|^]{re.escape(part)}(?:[\"'`/(:|)]|\\.\*)", body) for part in above)
