"""Find the lines of a repository's file that conflict with the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from dockertpl.merge.update import Step

#: Comparing takes quadratic time.
_MOST_LINES = 5_000
_HUNK = re.compile(r"@@ -(?P<first>[0-9]+)(?:,(?P<count>[0-9]+))? \+")


class Lines(NamedTuple):
    """Lines of a file, counted from 1, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def conflicting(step: Step) -> tuple[Lines, ...]:
    """Return the lines of a repository's file that conflict, in order.

    The result is empty if the file is missing, is not text, or is too long to compare.
    """
    if step.old is None or step.new is None:
        return ()
    mine = _lines(step.old.content)
    merged = _lines(step.new.content)
    if max(len(mine), len(merged)) > _MOST_LINES:
        return ()
    kept, places = _without_markers(merged, step) if step.conflicts else (merged, list(_of_patch(step.rejected)))
    numbers = _numbers(kept, mine)
    found = {_mapped(first, last, numbers, len(mine)) for first, last in places}
    return tuple(sorted(found))


def _without_markers(merged: Sequence[str], step: Step) -> tuple[list[str], list[tuple[int, int]]]:
    """Return a merged text with the repository's side of every conflict, and the ranges of these lines, from 0."""
    kept: list[str] = []
    places, position = [], 0
    for conflict in step.conflicts:
        kept += merged[position : conflict.first - 1]
        inside = merged[conflict.first : conflict.last - 1]
        ends = [number for number, line in enumerate(inside) if line.startswith(("|||||||", "======="))]
        mine = inside[: ends[0] if ends else 0]
        places.append((len(kept), len(kept) + len(mine)))
        kept += mine
        position = conflict.last
    return [*kept, *merged[position:]], places


def _of_patch(patch: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of lines that a patch changes, from 0. The end is not included."""
    position, begin = 0, None
    for line in [*patch.split("\n")[2:], "@@"]:
        if line[:1] in ("-", "+"):
            begin = position if begin is None else begin
            position += line[0] == "-"
            continue
        if begin is not None and line[:1] != "\\":
            yield begin, position
            begin = None
        if hunk := _HUNK.match(line):
            # For an empty side, the number is that of the line before.
            position = int(hunk["first"]) - (hunk["count"] != "0")
        elif line[:1] == " ":
            position += 1


def _numbers(kept: Sequence[str], mine: Sequence[str]) -> dict[int, int]:
    """Map positions of lines in the merged text to those of the same lines in the repository's file."""
    matcher = SequenceMatcher(None, kept, mine, autojunk=False)
    return {a + offset: b + offset for a, b, size in matcher.get_matching_blocks() for offset in range(size)}


def _mapped(first: int, last: int, numbers: dict[int, int], count: int) -> Lines:
    known = [numbers[position] for position in range(first, last) if position in numbers]
    if known:
        return Lines(known[0] + 1, known[-1] + 1)
    # The template adds lines here, or the line differs in a pin. Point to the line before.
    before = max((there for position, there in numbers.items() if position < first), default=-1)
    number = max(1, min(before + 2 if last > first else before + 1, count))
    return Lines(number, number)


def _lines(content: bytes) -> list[str]:
    return content.decode(errors="surrogateescape").replace("\r\n", "\n").split("\n")
