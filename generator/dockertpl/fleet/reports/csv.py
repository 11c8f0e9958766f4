"""A report as CSV, for a spreadsheet that takes no text of a repository for a formula."""

from __future__ import annotations

import csv as writer
import io
from collections.abc import Iterable, Iterator

from dockertpl.fleet.reports.columns import Sheet, T, texts
from dockertpl.screen import printable

#: What a spreadsheet takes a cell for a formula by, or drops in front of one; the last four are wide forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv(items: Iterable[T], sheet: Sheet[T]) -> Iterator[str]:
    """Yield a line with the names of the fields, and one for each thing.

    Several values are separated by `; `. A cell that a spreadsheet would take for a formula begins with an apostrophe.

    Args:
        items: The things.
        sheet: What they are.
    """
    yield _line(column.key for column in sheet.columns)
    for item in items:
        yield _line(_cell("; ".join(texts(item, column))) for column in sheet.columns)


def _cell(text: str) -> str:
    # Before it is spelled out: a carriage return would be a backslash then, which is no less safe, but not what it was.
    return f"'{printable(text)}" if text.startswith(_FORMULA) else printable(text)


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    writer.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
