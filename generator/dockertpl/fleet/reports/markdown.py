"""A report as Markdown: a table with folded details, for a comment or a job summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dockertpl.fleet.markup import cell, plain, web_address
from dockertpl.fleet.reports.columns import Column, Sheet, T, one_line, texts
from dockertpl.screen import cut

#: GitHub drops a job summary that is larger than this.
LIMIT = 1024 * 1024
#: Bytes that are left for the last lines.
_ROOM = 512
_MOST_VALUES = 20
#: The most characters of a value in a fold's summary line.
_SHORT = 80


def markdown(items: Iterable[T], sheet: Sheet[T], *, title: str = "", limit: int = LIMIT) -> Iterator[str]:
    """Yield a heading, the totals, and a table with the most urgent items first. Details are folded.

    Args:
        items: The items, read once.
        sheet: How to show them.
        title: The heading, or nothing.
        limit: The most bytes. Rows that do not fit are counted.
    """
    shown = sorted(items, key=sheet.rank)
    columns = _columns(shown, sheet)
    head = f"### {plain(title)}\n\n" if title else ""
    totals = ", ".join(f"**{number:,}** {state}" for state, number in sheet.totals(shown).items())
    head += f"{sheet.count(len(shown))}{': ' if totals else ''}{totals}\n"
    if shown:
        titles = [*(column.title for column in columns), "Details"]
        head += f"\n{_row(titles)}{_row(['---'] * len(titles))}"
    yield head
    used = len(head.encode())
    for number, item in enumerate(shown):
        row = _row([*(_cell(item, sheet, column) for column in columns), _details(item, sheet)])
        used += len(row.encode())
        if used > limit - _ROOM:
            yield f"\n… and {len(shown) - number:,} more that do not fit here.\n"
            return
        yield row


def _columns(items: Sequence[T], sheet: Sheet[T]) -> list[Column]:
    return [column for column in sheet.at("column") if any(texts(item, column) for item in items)]


def _cell(item: T, sheet: Sheet[T], column: Column) -> str:
    values = texts(item, column)
    if column.shape == "state":
        # Keep the sign and the state on one line.
        mark = "⚠️&nbsp;" if sheet.level(item) in ("bad", "attention") else ""
        return f"{mark}{sheet.state_of(item)}"
    return " ".join(_value(column, value) for value in values)


def _details(item: T, sheet: Sheet[T]) -> str:
    """Return an item's details in one cell. The fold's summary line shows the most important one."""
    said = [(column, values) for column in sheet.at("detail") if (values := texts(item, column))]
    folded = [(column, values) for column in sheet.at("fold") if (values := texts(item, column))]
    links = "".join(f"{_value(column, values[0])} " for column, values in said if column.shape == "link")
    said = [(column, values) for column, values in said if column.shape != "link"]
    if not said and (links or sheet.level(item) == "good"):
        return links.strip()
    summary, whole = _summary(*said[0]) if said else ("more", False)
    body = "".join(f"<br>{column.title}: {_values(column, values)}" for column, values in [*said[whole:], *folded])
    return f"{links}<details><summary>{summary}</summary>{body}</details>" if body else f"{links}{summary}"


def _summary(column: Column, values: Sequence[str]) -> tuple[str, bool]:
    """Return a fold's summary line, and whether it shows all of the column."""
    more = f" and {len(values) - 1:,} more" if len(values) > 1 else ""
    whole = not more and len(values[0]) <= _SHORT
    return f"{column.title}: {_text(column, values[0], _SHORT)}{more}", whole


def _values(column: Column, values: Sequence[str]) -> str:
    named = [_value(column, value) for value in values[:_MOST_VALUES]]
    if len(values) > _MOST_VALUES:
        named.append(f"{len(values) - _MOST_VALUES:,} more")
    return ("; " if column.shape == "prose" else ", ").join(named)


def _value(column: Column, text: str) -> str:
    address = web_address(text) if column.shape == "link" else ""
    if address:
        return f"[{cut(one_line(column.title), 40)}](<{address}>)"
    return _text(column, text, 500)


def _text(column: Column, text: str, longest: int) -> str:
    return plain(text, longest) if column.shape == "prose" else cell(text, longest)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
