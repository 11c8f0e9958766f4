"""Which Node.js: what the repository asks for, what Next.js needs, what is offered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import NODE_NAMES, NODES, OLDEST_NODE
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import Version, allows, spans, version
from dockertpl.detect.repository import join, parent
from dockertpl.detect.tomlfile import line_of
from dockertpl.errors import NotDetectedError

_FILES = (
    (".nvmrc", r"^[ \t]*(?!#)(\S+)"),
    (".node-version", r"^[ \t]*(?!#)(\S+)"),
    (".tool-versions", r"^[ \t]*nodejs[ \t]+(\S+)"),
    ("mise.toml", r"^[ \t]*node(?:js)?[ \t]*=[ \t]*[\"']([^\"']+)"),
)


class Wish(NamedTuple):
    """A place that wants one Node.js: its version as far as it is written, and the text."""

    version: Version
    text: str
    path: str
    line: int | None


class Limit(NamedTuple):
    """A place that allows a range."""

    range: str
    path: str
    line: int | None


def find_node(package: Package, found: Detection, dockerfiles: Sequence[str], next_version: str) -> None:
    """Answer `node_version`.

    Args:
        package: The application's folder.
        found: Where answer and warnings go.
        dockerfiles: Existing Dockerfiles, the likeliest first.
        next_version: The version of Next.js that is installed, or the range that is asked for; empty if unknown.

    Raises:
        NotDetectedError: The repository pins an older Node.js than Next.js runs on.
    """
    limits = [limit for limit in _limits(package) if _readable(limit, found)]
    allowed = [node for node in NODES if all(allows(limit.range, int(node)) for limit in limits)]
    major = (version(next_version) or (0,))[0]
    oldest = version(OLDEST_NODE.get(str(major), "")) or (0, 0, 0)
    wishes = list(_wishes(package))
    if wishes and "node_version" not in package.given:
        _not_too_old(wishes[0], oldest, major)
    if limits and not allowed:
        first = limits[0]
        newest = max((span.high for span in spans(first.range) or []), default=(0, 0, 0))
        if newest <= oldest and "node_version" not in package.given:
            raise NotDetectedError(
                f"{_where(first)} allows Node.js {first.range}, but Next.js {major} needs {_text(oldest)} or newer.",
                "Allow a newer one there and try the application with it, or choose one with -d node_version=….",
            )
    if not wishes:
        wishes = list(_of_dockerfile(package, dockerfiles))
    if wishes:
        _take_wish(found, wishes, allowed, limits)
    elif limits:
        first = limits[0]
        if allowed:
            found.answer("node_version", allowed[0], first.path, first.line, f"engines.node {first.range}")
        else:
            _newer(found, (version(first.range) or (0,))[0], first, list(NODES))


def _take_wish(found: Detection, wishes: list[Wish], allowed: list[str], limits: list[Limit]) -> None:
    first = wishes[0]
    node = str(first.version[0])
    if node not in NODES:
        _newer(found, first.version[0], first, allowed or list(NODES))
        return
    found.answer("node_version", node, first.path, first.line, first.text if first.text != node else "")
    if limits and node not in allowed:
        found.warn(
            f"{_where(first)} asks for Node.js {node}, which {_where(limits[0])} ({limits[0].range}) does not allow: "
            "the first counts, and pnpm and Yarn refuse to install. Make them agree."
        )
    for other in wishes[1:]:
        if other.version[0] != first.version[0]:
            found.warn(
                f"{_where(first)} asks for Node.js {node}, {_where(other)} for {other.version[0]}: the first counts."
            )
            return


def _newer(found: Detection, major: int, place: Wish | Limit, usable: list[str]) -> None:
    """Take the nearest newer version that is offered, and say so."""
    newer = sorted((node for node in usable if int(node) > major), key=int)
    node = newer[0] if newer else usable[0]
    asked = place.text if isinstance(place, Wish) else place.range
    found.answer("node_version", node, place.path, place.line, f"{asked} is asked for and not offered")
    refuse = "" if isinstance(place, Wish) else " pnpm and Yarn refuse another one than that: allow it there."
    found.warn(
        f"{_where(place)} asks for Node.js {asked}, and the template offers {', '.join(NODES)}: {node} is taken. Try "
        f"the application with it.{refuse}"
    )


def _not_too_old(wish: Wish, oldest: Version, major: int) -> None:
    written = len(re.findall(r"\d+", wish.text))
    if wish.version[: max(written, 1)] < oldest[: max(written, 1)]:
        raise NotDetectedError(
            f"{_where(wish)} asks for Node.js {wish.text}, but Next.js {major} needs {_text(oldest)} or newer.",
            "Write a newer one there and try the application with it, or choose one with -d node_version=….",
        )


def _text(one: Version) -> str:
    return ".".join(map(str, one))


def _where(place: Wish | Limit) -> str:
    return f"{place.path}:{place.line}" if place.line else place.path


def _named(text: str) -> Version | None:
    """Read `22`, `v22.3.0`, `lts/jod`, `lts/*` or `node`."""
    text = text.strip().lower()
    if text in ("lts/*", "node", "latest", "stable", "lts", "current"):
        return int(NODES[0]), 0, 0
    if text.startswith("lts/"):
        return version(NODE_NAMES.get(text.removeprefix("lts/"), ""))
    return version(text) if re.match(r"v?\d", text) else None


def _wishes(package: Package) -> Iterator[Wish]:
    repository, folder = package.repository, package.folder
    while True:
        for name, pattern in _FILES:
            path = join(folder, name)
            text = repository.text(path) or ""
            match = re.search(pattern, text[:4096], re.MULTILINE)
            if match and (wanted := _named(match[1])):
                yield Wish(wanted, match[1][:40], path, line_of(text[:4096], pattern))
        here = Package(repository, folder)
        if wanted := _named(here.text("volta", "node")):
            yield Wish(wanted, here.text("volta", "node")[:40], here.path, here.line("volta", "node"))
        if folder == ".":
            return
        folder = parent(folder)


def _limits(package: Package) -> Iterator[Limit]:
    folder = package.folder
    while True:
        here = Package(package.repository, folder)
        if wanted := here.text("engines", "node"):
            yield Limit(wanted, here.path, here.line("engines", "node"))
            return
        if folder == ".":
            return
        folder = parent(folder)


def _readable(limit: Limit, found: Detection) -> bool:
    if spans(limit.range) is not None:
        return True
    found.warn(f"{_where(limit)}: engines.node is no version range that can be read; it was left out.")
    return False


def _of_dockerfile(package: Package, dockerfiles: Sequence[str]) -> Iterator[Wish]:
    for path in dockerfiles[:1]:
        stages = dockerfile.stages(package.repository.text(path) or "")
        for stage in reversed(stages):
            base = dockerfile.base_of(stage, stages)
            if match := re.search(r"(?:^|/)node:(\d+(?:\.\d+){0,2})", base.base):
                yield Wish(version(match[1]) or (0, 0, 0), match[1], path, base.line)
                return
