"""Lines for a terminal, each with a style."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import click
import yaml

from dockertpl.screen import printable, terminal_size

Style: TypeAlias = Literal["plain", "title", "dim", "warning", "added", "removed", "place"]

_COLORS: Final[dict[Style, dict[str, Any]]] = {
    "plain": {},
    "title": {"bold": True},
    "dim": {"dim": True},
    "place": {"dim": True},
    "warning": {"fg": "yellow"},
    "added": {"fg": "green"},
    "removed": {"fg": "red"},
}

# Longer lines of prose are hard to read, and shorter ones than this cannot hold a table.
_WIDEST = 110
_NARROWEST = 40


def width() -> int:
    """Return the terminal's width in columns, between 40 and 110. Without a terminal it is 80."""
    return min(max(terminal_size().columns, _NARROWEST), _WIDEST)


@dataclass(frozen=True)
class Line:
    """A line.

    Attributes:
        text: Its text, with control characters from a repository or a user escaped.
        style: Its style. The console decides how it looks.
    """

    text: str
    style: Style = "plain"


def rule(text: str) -> Line:
    """Return a heading for the top of a screen."""
    head = f"-- {cut(printable(text), width() - 8)} "
    return Line(head + "-" * (width() - 1 - len(head)), "title")


def wrapped(text: str, first: str = "", then: str | None = None, style: Style = "plain") -> list[Line]:
    """Return a text as lines.

    Args:
        text: One paragraph, or one per line.
        first: The prefix of the first line.
        then: The prefix of the other lines. None means as many blanks as `first` has characters.
        style: The style of the lines.
    """
    then = " " * len(first) if then is None else then
    found = []
    for number, paragraph in enumerate(printable(text).splitlines()):
        found += textwrap.wrap(
            paragraph,
            width() - 1,
            initial_indent=then if number else first,
            subsequent_indent=then,
            break_on_hyphens=False,
        )
    return [Line(line, style) for line in found]


def table(rows: Iterable[tuple[str, str, str]]) -> list[Line]:
    """Return rows of a label, a value and a place. A place that does not fit goes below its value."""
    rows = [(printable(label), printable(value), printable(place)) for label, value, place in rows]
    label_width = max((len(label) for label, _, _ in rows), default=0)
    room = width() - 1 - label_width - 4
    value_width = min(max((len(value) for _, value, _ in rows), default=0), 24)
    found = []
    for label, value, place in rows:
        indent = " " * (label_width + 4)
        fits = len(value) <= value_width and value_width + 2 + len(place) <= room
        if fits:
            found.append(Line(f"  {label:<{label_width}}  {value:<{value_width}}  {place}".rstrip()))
            continue
        found += wrapped(value, f"  {label:<{label_width}}  ", indent)
        if place:
            found += wrapped(place, f"{indent}  ", style="place")
    return found


def cut(text: str, most: int) -> str:
    """Return a text that is not longer than a width. It is cut between words, unless one word fills half of it."""
    if len(text) <= most:
        return text
    start = text[: most - 3]
    whole = start if text[most - 3 : most - 2] == " " else start.rpartition(" ")[0]
    return f"{(whole if 2 * len(whole) >= most else start).rstrip()}..."


def written(value: Any) -> str:
    """Return a value as a user would type it: on one line, as YAML if it is not a text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1 << 30).strip()
        return printable(text)
    return printable(str(value))


def read_out(value: Any) -> str:
    """Return a value for a table: as `written` does, but "none" for an empty one."""
    if value in ("", [], {}):
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else written(value)


def colored(lines: Iterable[Line]) -> str:
    """Return lines as text with the colors of a terminal."""
    return "".join(f"{click.style(line.text, **_COLORS[line.style])}\n" for line in lines)


def uncolored(lines: Iterable[Line]) -> str:
    """Return lines as text without colors."""
    return "".join(f"{line.text}\n" for line in lines)
