"""Choose the Node.js version: by the repository, the needs of Next.js, and the available versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import NEWEST_NODE, NODE_NAMES, NODES, OLDEST_NODE
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import Version, allows, spans, version
from dockertpl.detect.repository import join, parent
from dockertpl.detect.tomlfile import line_of
from dockertpl.detect.toolfiles import versions_of
from dockertpl.errors import NotDetectedError

_FILES = (".nvmrc", ".node-version")
_WRITTEN = r"^[ \t]*(?!#)(\S+)"


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


def find_node(package: Package, found: Detection, dockerfiles: Sequence[str], next_version: str, strict: bool) -> None:
    """Answer `node_version`.

    Args:
        package: The application's folder.
        found: Where answer and warnings go.
        dockerfiles: Existing Dockerfiles, the likeliest first.
        next_version: The version of Next.js that is installed, or the range that is asked for; empty if unknown.
        strict: Whether the manager refuses to install with a Node.js that `engines` does not allow.

    Raises:
        NotDetectedError: The repository asks for a Node.js that Next.js does not run on, or that is not offered.
    """
    if "node_version" in package.given:
        return
    limits = [limit for limit in _limits(package) if _readable(limit, found)]
    major = (version(next_version) or (0,))[0]
    newest = NEWEST_NODE.get(str(major))
    usable = [node for node in NODES if newest is None or int(node) <= newest]
    allowed = [node for node in usable if all(allows(limit.range, int(node)) for limit in limits)]
    oldest = version(OLDEST_NODE.get(str(major), "")) or (0, 0, 0)
    wishes = list(_wishes(package))
    if wishes:
        _not_too_old(wishes[0], oldest, major)
    if limits and not allowed:
        _refuse(limits[0], oldest, major, usable, strict)
    if not wishes:
        wishes = [
            wish for wish in _of_dockerfile(package, dockerfiles) if not allowed or str(wish.version[0]) in allowed
        ]
    if wishes:
        _take_wish(found, wishes, allowed, limits, usable, strict)
    elif limits:
        first = limits[0]
        if allowed:
            found.answer("node_version", allowed[0], first.path, first.line, f"engines.node {first.range}")
        else:
            _newer(found, (version(first.range) or (0,))[0], first, usable)
    elif usable[0] != NODES[0]:
        found.answer("node_version", usable[0], *package.place("next"), f"the newest that Next.js {major} builds on")


def _refuse(limit: Limit, oldest: Version, major: int, usable: list[str], strict: bool) -> None:
    """Refuse a range that no Node.js is in which the image could have.

    Raises:
        NotDetectedError: The build could only fail.
    """
    newest = max((span.high for span in spans(limit.range) or []), default=(0, 0, 0))
    if newest <= oldest:
        raise NotDetectedError(
            f"{_where(limit)} allows Node.js {limit.range}, but Next.js {major} needs {_text(oldest)} or newer.",
            "Allow a newer one there and test the application with it, or choose one with -d node_version=….",
        )
    if strict:
        raise NotDetectedError(
            f"{_where(limit)} allows Node.js {limit.range}, but the template offers {', '.join(usable)}: the manager "
            "would refuse to install.",
            "Allow one of these there, and test the application with it.",
        )


def _take_wish(
    found: Detection, wishes: list[Wish], allowed: list[str], limits: list[Limit], usable: list[str], strict: bool
) -> None:
    first = wishes[0]
    node = str(first.version[0])
    if node not in usable:
        _newer(found, first.version[0], first, allowed or usable)
        return
    if limits and node not in allowed and strict:
        raise NotDetectedError(
            f"{_where(first)} asks for Node.js {node}, which {_where(limits[0])} ({limits[0].range}) does not allow: "
            "the manager would refuse to install.",
            "Make them agree, or choose one with -d node_version=….",
        )
    found.answer("node_version", node, first.path, first.line, first.text if first.text != node else "")
    if limits and node not in allowed:
        found.warn(
            f"{_where(first)} asks for Node.js {node}, which {_where(limits[0])} ({limits[0].range}) does not allow. "
            "The first is used. Make them agree."
        )
    for other in wishes[1:]:
        if other.version[0] != first.version[0]:
            found.warn(
                f"{_where(first)} asks for Node.js {node}, {_where(other)} for {other.version[0]}. The first is used."
            )
            return


def _newer(found: Detection, major: int, place: Wish | Limit, usable: list[str]) -> None:
    """Take the nearest newer version that can be used, or the newest of all, and say so."""
    newer = sorted((node for node in usable if int(node) > major), key=int)
    node = newer[0] if newer else usable[0]
    asked = place.text if isinstance(place, Wish) else place.range
    found.answer("node_version", node, place.path, place.line, f"{asked} is not available")
    found.warn(
        f"{_where(place)} asks for Node.js {asked}. The image can have {', '.join(usable)} and uses {node}. Test the "
        "application with it."
    )


def _not_too_old(wish: Wish, oldest: Version, major: int) -> None:
    written = len(re.findall(r"\d+", wish.text))
    if wish.version[: max(written, 1)] < oldest[: max(written, 1)]:
        raise NotDetectedError(
            f"{_where(wish)} asks for Node.js {wish.text}, but Next.js {major} needs {_text(oldest)} or newer.",
            "Write a newer one there and test the application with it, or choose one with -d node_version=….",
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
        for name in _FILES:
            path = join(folder, name)
            text = (repository.text(path) or "")[:4096]
            match = re.search(_WRITTEN, text, re.MULTILINE)
            if match and (wanted := _named(match[1])):
                yield Wish(wanted, match[1][:40], path, line_of(text, _WRITTEN))
        for named in versions_of(repository, folder, ("node", "nodejs")):
            if wanted := _named(named.text):
                yield Wish(wanted, named.text[:40], named.path, named.line)
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
    found.warn(f"{_where(limit)}: engines.node is not a valid version range, so it was ignored.")
    return False


def _of_dockerfile(package: Package, dockerfiles: Sequence[str]) -> Iterator[Wish]:
    for path in dockerfiles[:1]:
        stages = dockerfile.stages(package.repository.text(path) or "")
        for stage in reversed(stages):
            base = dockerfile.base_of(stage, stages)
            if match := re.search(r"(?:^|/)node:(\d+(?:\.\d+){0,2})", base.base):
                yield Wish(version(match[1]) or (0, 0, 0), match[1], path, base.line)
                return
