"""Regions: the lines of a rendered file that its user owns.

A template renders two marks and nothing between them, so that no version of it ever changes a line there:

    # >>> custom: runtime - what the running image needs besides
    # <<< custom: runtime

What stands between them is the user's. A merge keeps it by itself; these functions are for what renders a file anew,
or fills one for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dockertpl.errors import RegionError

_NAME = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
#: The word in a marker, and the one that earlier versions of the template wrote.
_WORD = r"(?:custom|yours)"
_MARK = re.compile(
    rf"[ \t]*# (?:>>> {_WORD}: (?P<begun>{_NAME})(?: - [^\r\n]*)?|<<< {_WORD}: (?P<ended>{_NAME}))[ \t]*(?P<end>\r?\n?)"
)
#: What reads as a marker, and is one only if it is written as above.
_LIKE_A_MARK = re.compile(rf"\s*#\s*(?:>{{3}}|<{{3}})\s*{_WORD}\b", re.IGNORECASE)
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


class _Region(NamedTuple):
    """A region: where what stands in it starts and ends, counted in characters, and the line of its first mark."""

    name: str
    start: int
    end: int
    line: int


def find(text: str) -> dict[str, str]:
    """Return what stands in each region of a text, line ends included.

    Args:
        text: A rendered file, whoever edited it since.

    Returns:
        By the region's name, in the order of the text; an empty string for one that nobody filled.

    Raises:
        RegionError: A mark is written wrongly, has no other half, or names a region a second time.
    """
    return {region.name: text[region.start : region.end] for region in _regions(text)}


def fill(text: str, contents: Mapping[str, str]) -> str:
    """Put lines into regions, in the place of what stands there.

    Args:
        text: A rendered file.
        contents: What is to stand in a region, by its name; others stay as they are. A last line without an end gets
            one, and all take on the text's line ends where those are of one kind.

    Raises:
        RegionError: The text has no region of a name, a line looks like a mark, or the text's own marks are at fault.
    """
    regions = _regions(text)
    missing = [name for name in contents if name not in {region.name for region in regions}]
    if missing:
        there = ", ".join(region.name for region in regions) or "none"
        raise RegionError(f"There is no region {missing[0]}; the regions are: {there}.", region=missing[0])
    lines = {name: _lines(name, content, text) for name, content in contents.items()}
    return _with(text, regions, lines)


def share(text: str, contents: Mapping[str, str]) -> str:
    """Put what another version of a text has in its regions into those of this one, line ends and all.

    Args:
        text: A rendered file.
        contents: What stands in the other's regions, by name, as `find` returns it.

    Raises:
        RegionError: The text's own marks are at fault.
    """
    return _with(text, _regions(text), contents)


def carry(old: str, new: str) -> tuple[str, dict[str, str]]:
    """Take what stands in a text's regions over into another version of it.

    Args:
        old: What the repository has.
        new: What is to take its place, such as the same file from a newer template.

    Returns:
        `new` with what `old` has in the regions of the same names; and, by name, what stands in regions that `new`
        does not have, which is lost unless somebody keeps it. Of those, one without a visible character is left out.

    Raises:
        RegionError: Marks of one of the two are at fault.
    """
    contents, names = find(old), find(new).keys()
    kept = {name: content for name, content in contents.items() if name in names}
    lost = {name: content for name, content in contents.items() if name not in names and content.strip()}
    return fill(new, kept), lost


def _regions(text: str) -> list[_Region]:
    found: list[_Region] = []
    name, start, line = "", 0, 0
    for number, at, mark in _marks(text):
        begun, ended = mark["begun"], mark["ended"]
        if begun and name:
            raise RegionError(f"Line {number} begins the region {begun} inside {name} of line {line}.", line=number)
        if begun and (first := next((region for region in found if region.name == begun), None)):
            raise RegionError(
                f"Line {number} begins the region {begun} a second time, after line {first.line}.", line=number
            )
        if begun:
            name, start, line = begun, at + mark.end(), number
        elif ended != name:
            within = f"line {line} began {name}" if name else "none had begun"
            raise RegionError(f"Line {number} ends the region {ended}, and {within}.", line=number)
        else:
            found.append(_Region(name, start, at, line))
            name = ""
    if name:
        raise RegionError(f"Line {line} begins the region {name}, and no line ends it.", line=line)
    return found


def _with(text: str, regions: Iterable[_Region], contents: Mapping[str, str]) -> str:
    parts, at = [], 0
    for region in regions:
        if region.name in contents:
            parts += [text[at : region.start], contents[region.name]]
            at = region.end
    return "".join([*parts, text[at:]])


def _marks(text: str) -> Iterator[tuple[int, int, re.Match[str]]]:
    """Yield each mark, with its line counted from 1 and where that line starts."""
    for number, found in enumerate(_LINES.finditer(text), 1):
        if not _LIKE_A_MARK.match(found[0]):
            continue
        mark = _MARK.fullmatch(found[0])
        if not mark:
            raise RegionError(f"Line {number} is no mark of a region as it is written: {found[0].strip()}", line=number)
        yield number, found.start(), mark


def _lines(name: str, content: str, text: str) -> str:
    """Return lines as they stand in a region of a text."""
    for number, found in enumerate(_LINES.finditer(content), 1):
        if _LIKE_A_MARK.match(found[0]):
            raise RegionError(
                f"Line {number} of what is to stand in the region {name} looks like a mark: {found[0].strip()}",
                "Leave that line out: the region's own marks are there.",
                region=name,
                line=number,
            )
    crlf, total = text.count("\r\n"), text.count("\n")
    if content and not content.endswith("\n"):
        content += "\n"
    if crlf not in (0, total):
        return content
    content = content.replace("\r\n", "\n")
    return content.replace("\n", "\r\n") if crlf else content
