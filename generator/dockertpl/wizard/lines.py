"""Lines for a terminal: text of a certain width, each with what it is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import click
import yaml

from dockertpl.screen import printable, terminal_size

Style: TypeAlias = Literal["plain", "title", "dim", "warning", "added", "removed", "place"]

_COLOURS: Final[dict[Style, dict[str, Any]]] = {
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
    """Return the terminal's width in columns, between 40 and 110; 80 where there is no terminal."""
    return min(max(terminal_size().columns, _NARROWEST), _WIDEST)


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        text: What it says; whatever a repository or a person wrote in it is spelled out where it is no plain text.
        style: What it is; how that looks is the console's business.
    """

    text: str
    style: Style = "plain"


def rule(text: str) -> Line:
    """Return a heading that begins a screen.

    Args:
        text: What the screen is about.
    """
    head = f"-- {cut(printable(text), width() - 8)} "
    return Line(head + "-" * (width() - 1 - len(head)), "title")


def wrapped(text: str, first: str = "", then: str | None = None, style: Style = "plain") -> list[Line]:
    """Return a text as lines.

    Args:
        text: One paragraph, or several lines that are each one.
        first: What stands in front of the first line.
        then: What stands in front of the others; as many blanks as `first` is long where it is None.
        style: What the lines are.
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
    """Return rows of a label, a value and a place, which goes below its value where it does not fit beside it.

    Args:
        rows: The rows.
    """
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
    """Return a text that is not longer than a width.

    Args:
        text: One line.
        most: In characters.
    """
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


def written(value: Any) -> str:
    """Return a value as a person would write it as an answer: on one line, as YAML where it is no text.

    Args:
        value: An answer.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1 << 30).strip()
        return printable(text)
    return printable(str(value))


def read_out(value: Any) -> str:
    """Return a value as a table has it: as `written` does, and a word where that would be nothing.

    Args:
        value: An answer.
    """
    if value in ("", [], {}):
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else written(value)


def coloured(lines: Iterable[Line]) -> str:
    """Return lines as text with a terminal's colours.

    Args:
        lines: The lines.
    """
    return "".join(f"{click.style(line.text, **_COLOURS[line.style])}\n" for line in lines)


def uncoloured(lines: Iterable[Line]) -> str:
    """Return lines as text and nothing else.

    Args:
        lines: The lines.
    """
    return "".join(f"{line.text}\n" for line in lines)
