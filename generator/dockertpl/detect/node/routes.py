"""Which router the application uses, and its own health route, by the folders that pages lie in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockertpl.detect.facts import Detection
from dockertpl.detect.health_words import is_health_path, rank_of
from dockertpl.detect.node.middleware import find_middleware
from dockertpl.detect.node.next_config import NextConfig
from dockertpl.detect.node.package import Package
from dockertpl.detect.repository import is_within, relative_to

_FILE = re.compile(r"\.(?:ts|tsx|js|jsx|mjs)$")
_GET = re.compile(
    r"\bexport\s+(?:async\s+)?(?:function\s*\*?|const|let|var)\s+(?:\{[^}]*)?GET\b|\bexport\s*\{[^}]*\bGET\b|\bexports\.GET\b"
)
_DEFAULT = re.compile(r"\bexport\s+default\b|\bexport\s*\{[^}]*\bdefault\b|\bmodule\.exports\b")


def find_router(package: Package, found: Detection) -> None:
    """Note which router is used."""
    routers = []
    for router in ("app", "pages"):
        folder = next((f for f in (router, f"src/{router}") if package.repository.is_dir(package.at(f))), None)
        if folder:
            routers.append((router, package.at(folder)))
    if routers:
        names = " and ".join(name for name, _ in routers)
        found.fact("router", names, routers[0][1], None, "")


def find_health(package: Package, found: Detection, config: NextConfig | None) -> None:
    """Answer `health_path`.

    Args:
        package: The application's folder.
        found: Where the answer and warnings go.
        config: What next.config says: basePath and trailingSlash are part of the path.
    """
    routes = sorted(_routes(package), key=lambda one: (rank_of(one[0].rpartition("/")[2]), len(one[0]), one[0]))
    base = config.get("basePath") if config else None
    if not routes:
        found.answer("health_path", "", "", None, "no health route, so any answer below 500 on / is healthy")
        return
    path, file, line = routes[0]
    find_middleware(package, found, path)
    below = (base.text if base.text is not None else base.unset) if base else ""
    if below is None:
        found.answer("health_path", "", file, line, "below a basePath that is computed")
        found.warn(
            f"{file} answers at {path} below a computed basePath, so any answer below 500 on / counts as healthy. "
            f"If basePath is empty in the build, set -d health_path={path}."
        )
        return
    slash = config.get("trailingSlash") if config else None
    end = "/" if slash and slash.text == "true" else ""
    prefix = below.rstrip("/")
    notes = [f"below the basePath {prefix}"] if prefix else []
    notes += ["where the variable that basePath is taken from is not set"] if base and base.text is None else []
    notes += ["with trailingSlash"] if end else []
    found.answer("health_path", f"{prefix}{path}{end}", file, line, ", ".join(notes))


def source_folder(package: Package) -> str:
    """Return `src/` where the pages lie below it, else nothing."""
    return "" if any(package.repository.is_dir(package.at(name)) for name in ("app", "pages")) else "src/"


def answers_to_get(inside: str, text: str) -> bool:
    """Tell whether the file of a route answers to GET.

    Args:
        inside: Its path below the application's folder.
        text: Its text.
    """
    return bool((_GET if inside.rpartition("/")[2].startswith("route.") else _DEFAULT).search(text))


def _routes(package: Package) -> Iterator[tuple[str, str, int | None]]:
    """Yield the path, file and line of every route that looks like one for probes and answers to GET."""
    repository = package.repository
    source = source_folder(package)
    for path in repository.files:
        if not is_within(path, package.folder) or not _FILE.search(path):
            continue
        inside = relative_to(path, package.folder)
        if not inside.startswith(source):
            continue
        parts = _FILE.sub("", inside.removeprefix(source)).split("/")
        if parts[0] == "app" and parts[-1] == "route":
            segments, answers = [part for part in parts[1:-1] if not re.fullmatch(r"\([^.].*\)", part)], _GET
        elif parts[:2] == ["pages", "api"]:
            segments, answers = parts[1:-1] if parts[-1] == "index" else parts[1:], _DEFAULT
        else:
            continue
        url = "/" + "/".join(segments)
        if any(part.startswith(("[", "@", "(", "_")) for part in segments) or not is_health_path(url):
            continue
        text = repository.text(path) or ""
        if match := answers.search(text):
            yield url, path, text.count("\n", 0, match.start()) + 1
