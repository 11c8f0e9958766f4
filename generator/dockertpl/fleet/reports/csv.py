"""A report as CSV. Spreadsheets cannot mistake a repository's text for a formula."""

from __future__ import annotations

import csv as writer
import io
from collections.abc import Iterable, Iterator

from dockertpl.fleet.reports.columns import Sheet, T, texts
from dockertpl.screen import printable

#: A cell that begins with one of these may be a formula to a spreadsheet. The last four are full-width characters.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv(items: Iterable[T], sheet: Sheet[T]) -> Iterator[str]:
    """Yield a line with the names of the fields, then a line for each item.

    Several values are separated by `; `. A cell that looks like a formula begins with an apostrophe.
    """
    yield _line(column.key for column in sheet.columns)
    for item in items:
        yield _line(_cell("; ".join(texts(item, column))) for column in sheet.columns)


def _cell(text: str) -> str:
    # Check before escaping: afterwards a carriage return would begin with a backslash.
    return f"'{printable(text)}" if text.startswith(_FORMULA) else printable(text)


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    writer.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
