"""Where a project says which version of a tool it wants: pins of one version, and ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect.facts import Detection
from dockertpl.detect.repository import Repository, parent
from dockertpl.detect.toolfiles import versions_of

_LONGEST = 200
_NUMBER = re.compile(r"v?(\d+(?:\.\d+){0,3})(?:[.x*-].*)?")


class Wish(NamedTuple):
    """A place that wants one version, as far as it is written: 3.12, or 3.12.4.

    Attributes:
        version: The version.
        path: The file.
        line: The line in it.
        note: What was seen there.
        binding: Whether the project requires it. Otherwise it is only a version that was used once.
    """

    version: str
    path: str
    line: int | None
    note: str
    binding: bool = True


class Limit(NamedTuple):
    """A place that allows some versions: alternatives, each a version specifier."""

    specifiers: tuple[str, ...]
    path: str
    line: int | None
    note: str


def where(place: Wish | Limit) -> str:
    """Return a place as `file:line`."""
    return f"{place.path}:{place.line}" if place.line else place.path


def folders_up(folder: str) -> Iterator[str]:
    """Yield a folder and those above it, up to the root."""
    while True:
        yield folder
        if folder == ".":
            return
        folder = parent(folder)


def tool_wishes(repository: Repository, folder: str, tool: str) -> Iterator[Wish]:
    """Yield what `.tool-versions` and mise's files of a folder, and of those above it, say of a tool.

    `latest`, `system` and other interpreters ask for no version.

    Args:
        repository: Where they are.
        folder: The application's folder.
        tool: The tool's name, such as python or poetry.
    """
    names = (tool, f"core:{tool}", f"pipx:{tool}", f"asdf:{tool}", f"aqua:astral-sh/{tool}")
    for one in folders_up(folder):
        for entry in versions_of(repository, one, names):
            if match := _NUMBER.fullmatch(entry.text[:_LONGEST]):
                yield Wish(match[1], entry.path, entry.line, "")


def alternatives(text: str) -> Iterator[str]:
    """Yield the alternatives of a range as version specifiers; also Poetry's `^3.9`, `~3.11 || 3.13.*`, `*`."""
    for alternative in re.split(r"\|\|?", text):
        parts = []
        for part in re.split(r"[,\s]+(?=[\^~<>=!\d])", alternative.strip()):
            if match := re.fullmatch(r"\^\s*(\d+)((?:\.\d+)*)", part):
                parts.append(f">={match[1]}{match[2]},<{_above(match[1] + match[2])}")
            elif match := re.fullmatch(r"~\s*(\d+)(?:\.(\d+)((?:\.\d+)*))?", part):
                upper = f"{match[1]}.{int(match[2]) + 1}" if match[2] else f"{int(match[1]) + 1}"
                parts.append(f">={part.lstrip('~ ')},<{upper}")
            elif re.fullmatch(r"\d+(?:\.\d+)*(?:\.\*)?", part):
                parts.append(f"=={part.removesuffix('.*')}.*")
            elif part not in ("", "*"):
                parts.append(re.sub(r"\s+", "", part))
        yield ",".join(parts)


def _above(text: str) -> str:
    """Return the first version that a caret leaves out: the leftmost part that is not 0 may not change."""
    parts = [int(part) for part in text.split(".")]
    at = next((at for at, part in enumerate(parts) if part), len(parts) - 1)
    return ".".join(map(str, [*parts[:at], parts[at] + 1]))


def _span(specifier: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Read the usual form (`>=3.11`, `>=3.11,<4.0`) without the import that everything else costs."""
    low, high = (0, 0), (99, 0)
    for part in specifier.replace(" ", "").split(","):
        match = re.fullmatch(r"(>=|<)(\d+)(?:\.(\d+))?(?:\.0)?", part)
        if not match:
            return None
        version = int(match[2]), int(match[3] or 0)
        low, high = (max(low, version), high) if match[1] == ">=" else (low, min(high, version))
    return low, high


def is_readable(limit: Limit, found: Detection) -> bool:
    """Tell whether a limit can be read, and warn if it cannot."""
    if any(len(specifier) > _LONGEST for specifier in limit.specifiers):
        return False
    if all(_span(specifier) for specifier in limit.specifiers):
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        for specifier in limit.specifiers:
            SpecifierSet(specifier)
    except InvalidSpecifier:
        found.warn(f"{where(limit)}: {limit.note} is not a valid version specifier, so it was ignored.")
        return False
    return True


def allows_series(limit: Limit, series: str) -> bool:
    """Tell whether a limit allows some release of a series such as 3.12."""
    spans = [_span(specifier) for specifier in limit.specifiers]
    major, _, minor = series.partition(".")
    if all(spans):
        return any(span[0] <= (int(major), int(minor)) < span[1] for span in spans if span)
    from packaging.specifiers import SpecifierSet

    sets = [SpecifierSet(specifier) for specifier in limit.specifiers]
    return any(one.contains(f"{series}.{patch}") for one in sets for patch in range(30, -1, -1))


def allows(limit: Limit, version: str) -> bool:
    """Tell whether a limit allows one version, such as 0.11.33."""
    from packaging.specifiers import SpecifierSet

    return any(SpecifierSet(specifier).contains(version) for specifier in limit.specifiers)


def named(limit: Limit) -> Iterator[str]:
    """Yield the full versions in a limit: they have existed."""
    for specifier in limit.specifiers:
        yield from re.findall(r"(?:[=~><]=|===)\s*(\d+\.\d+\.\d+)(?![\d.*])", specifier)


def newest(versions: Sequence[str]) -> str:
    """Return the newest of some versions; there is at least one."""
    from packaging.version import Version

    return max(versions, key=Version)
