"""A report as a table for a terminal or a log."""

from __future__ import annotations

import os
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import click

from dockertpl.fleet.reports.columns import Column, Level, Sheet, T, one_line, texts

_COLORS: dict[Level, str | None] = {
    "bad": "red",
    "attention": "yellow",
    "waiting": "cyan",
    "neutral": None,
    "good": "green",
}
_GAP = 2
_INDENT = "    "
#: The narrowest column.
_NARROWEST = 8
#: Show this many values of a list, and count the others.
_MOST_VALUES = 5
#: Longer lines are hard to read.
_WIDEST_TEXT = 120


def table(items: Iterable[T], sheet: Sheet[T], *, width: int, color: bool) -> str:
    """Return a line for each item with its details below, then the totals. Lines fit the terminal's width.

    Args:
        items: The items.
        sheet: How to show them.
        width: The terminal's columns. A table needs about 50.
        color: Whether to color the states, see `colorful`.
    """
    shown = list(items)
    return "".join(f"{line.rstrip()}\n" for line in _lines(shown, sheet, width, color))


def colorful(stream: TextIO) -> bool:
    """Return whether to use color: only on a terminal, and not if NO_COLOR is set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _lines(items: Sequence[T], sheet: Sheet[T], width: int, color: bool) -> Iterator[str]:
    columns, widths = _layout(items, sheet, width)
    if items:
        titles = [column.title.upper() for column in columns]
        yield _joined(titles, widths)
    for item in items:
        cells = [one_line(" ".join(texts(item, column))) for column in columns]
        line = _joined(cells, widths, [column.key == "repository" for column in columns])
        state = cells[0]
        ink = _COLORS[sheet.level(item)]
        # The state is the first cell, and it is never cut.
        yield click.style(state, fg=ink) + line[len(state) :] if color and ink else line
        for column in sheet.at("detail"):
            yield from _detail(column, texts(item, column), width)
    if items:
        yield ""
    totals = ", ".join(f"{number:,} {state}" for state, number in sheet.totals(items).items())
    yield from textwrap.wrap(f"{sheet.count(len(items))}{': ' if totals else ''}{totals}", max(width, 20))


def _layout(items: Sequence[T], sheet: Sheet[T], width: int) -> tuple[list[Column], list[int]]:
    """Return the columns that are not empty, with their widths. The widest are cut until all fit."""
    natural = {}
    for column in sheet.at("column"):
        cells = [_width(one_line(" ".join(texts(item, column)))) for item in items]
        if any(cells):
            natural[column] = max(len(column.title), *cells)
    if _total(natural.values()) > width:
        natural = {column: wide for column, wide in natural.items() if not column.optional}
    while _total(natural.values()) > width:
        column = max((each for each in natural if each.shape != "state"), key=lambda each: natural[each])
        if natural[column] <= _NARROWEST:
            break
        natural[column] -= 1
    return list(natural), list(natural.values())


def _total(widths: Iterable[int]) -> int:
    every = list(widths)
    return sum(every) + _GAP * (len(every) - 1)


def _joined(cells: Sequence[str], widths: Sequence[int], cut_left: Sequence[bool] = ()) -> str:
    sides = cut_left or [False] * len(cells)
    return (" " * _GAP).join(
        _fitted(cell, width, left=left) for cell, width, left in zip(cells, widths, sides, strict=True)
    )


def _fitted(text: str, width: int, *, left: bool) -> str:
    """Cut or pad a text to a width. `left` cuts the beginning, since the end of a repository's name says more."""
    if (have := _width(text)) <= width:
        return text + " " * (width - have)
    kept, used = [], 1
    for character in reversed(text) if left else text:
        used += _width(character)
        if used > width:
            break
        kept.append(character)
    short = "…" + "".join(reversed(kept)) if left else "".join(kept) + "…"
    return short + " " * (width - _width(short))


def _detail(column: Column, values: Sequence[str], width: int) -> Iterator[str]:
    if not values:
        return
    if column.shape == "link":
        # In one piece, so a terminal can open it.
        yield f"{_INDENT}{column.title}: {one_line(values[0])}"
        return
    named = [one_line(value) for value in values[:_MOST_VALUES]]
    if len(values) > _MOST_VALUES:
        named.append(f"{len(values) - _MOST_VALUES:,} more")
    text = f"{column.title}: {'; '.join(named)}"
    yield from _wrapped(text, min(max(width, 20), _WIDEST_TEXT))


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield a text's lines by their width on screen, which textwrap does not know."""
    line, used = _INDENT, len(_INDENT)
    for word in text.split(" "):
        fresh = not line.strip()
        if not fresh and used + 1 + _width(word) > width:
            yield line
            line, used, fresh = f"{_INDENT}  ", len(_INDENT) + 2, True
        for character in word if fresh else f" {word}":
            if used + _width(character) > width:
                yield line
                line, used = f"{_INDENT}  ", len(_INDENT) + 2
            line, used = line + character, used + _width(character)
    yield line


def _width(text: str) -> int:
    """Return a text's width in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text
    )
