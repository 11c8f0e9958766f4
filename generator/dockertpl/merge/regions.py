"""Custom regions: the lines of a rendered file that its user owns.

A template renders two markers with nothing between them, so no version of the template ever changes a line there:

    # >>> custom: runtime - what the running image needs besides
    # <<< custom: runtime

The lines between them belong to the user, and merges keep them. These functions are for rendering a file again, or
filling one for the first time.
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
#: A line that looks like a marker. It must match the pattern above.
_LIKE_A_MARK = re.compile(rf"\s*#\s*(?:>{{3}}|<{{3}})\s*{_WORD}\b", re.IGNORECASE)
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


class _Region(NamedTuple):
    """A region: where its content starts and ends, in characters, and the line of its first marker."""

    name: str
    start: int
    end: int
    line: int


def find(text: str) -> dict[str, str]:
    """Return the content of each region of a text, with line ends.

    Args:
        text: A rendered file, maybe edited.

    Returns:
        The content by region, in the order of the text. Empty for a region without lines.

    Raises:
        RegionError: A marker is malformed, lacks its other half, or repeats a region.
    """
    return {region.name: text[region.start : region.end] for region in _regions(text)}


def fill(text: str, contents: Mapping[str, str]) -> str:
    """Replace the content of regions.

    Args:
        text: A rendered file.
        contents: The new content by region. Other regions stay as they are. The last line gets a line end. All lines
            get the text's line ends if it has one kind.

    Raises:
        RegionError: The text lacks a region, a line looks like a marker, or the text's own markers are broken.
    """
    regions = _regions(text)
    missing = [name for name in contents if name not in {region.name for region in regions}]
    if missing:
        there = ", ".join(region.name for region in regions) or "none"
        raise RegionError(f"The text has no region {missing[0]}. Its regions are: {there}.", region=missing[0])
    lines = {name: _lines(name, content, text) for name, content in contents.items()}
    return _with(text, regions, lines)


def share(text: str, contents: Mapping[str, str]) -> str:
    """Copy region contents of another version into this text, unchanged.

    Args:
        text: A rendered file.
        contents: The contents by region, from `find`.

    Raises:
        RegionError: The text's own markers are broken.
    """
    return _with(text, _regions(text), contents)


def carry(old: str, new: str) -> tuple[str, dict[str, str]]:
    """Copy the content of a text's regions into another version of it.

    Args:
        old: The repository's text.
        new: The text to replace it, such as the same file from a newer template.

    Returns:
        `new` with the regions of `old`, and the contents of regions that `new` lacks, by name. The caller has to keep
        those, or they are lost. Blank ones are left out.

    Raises:
        RegionError: The markers of a text are broken.
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
    """Yield each marker, with its line counted from 1 and where that line starts."""
    for number, found in enumerate(_LINES.finditer(text), 1):
        if not _LIKE_A_MARK.match(found[0]):
            continue
        mark = _MARK.fullmatch(found[0])
        if not mark:
            raise RegionError(f"Line {number} is not a valid region marker: {found[0].strip()}", line=number)
        yield number, found.start(), mark


def _lines(name: str, content: str, text: str) -> str:
    """Return lines prepared for a region of a text."""
    for number, found in enumerate(_LINES.finditer(content), 1):
        if _LIKE_A_MARK.match(found[0]):
            raise RegionError(
                f"Line {number} of the content for the region {name} looks like a marker: {found[0].strip()}",
                "Leave out that line. The file already has the region's markers.",
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
