"""The terminal: results on stdout, prose on stderr, and no control characters from files."""

from __future__ import annotations

import io
import os
import re
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from dockertpl.errors import DockertplError

#: The width of a terminal that reports none.
WIDTH = 80
# Seconds between two drawings of a live line. Drawing more often would disturb measurements.
_DRAWN = 0.2


def terminal_size(stream: TextIO | None = None) -> os.terminal_size:
    """Return the size of the terminal on a stream, which is stderr by default. Without a terminal it is 80 by 24.

    `COLUMNS` and `LINES` override it.
    """
    try:
        known = os.get_terminal_size((stream or sys.stderr).fileno())
    except (OSError, ValueError, AttributeError):
        known = os.terminal_size((WIDTH, 24))
    given = [os.environ.get(name, "") for name in ("COLUMNS", "LINES")]
    return os.terminal_size(
        [int(text) if text.isdecimal() and int(text) else real for text, real in zip(given, known, strict=True)]
    )


def say(text: str = "", *, quiet: bool = False, color: str = "") -> None:
    """Write prose to stderr, above a live line.

    Args:
        text: One or more lines.
        color: The color, if the terminal has colors.
    """
    if quiet:
        return
    shown = printable(text)
    if color and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb":
        shown = click.style(shown, fg=color, bold=True)
    if LiveLine.shown is None:
        click.echo(shown, err=True)
    else:
        LiveLine.shown.above(shown)


def tell(error: DockertplError) -> None:
    """Write an error, its remedy and its headline to stderr. On a terminal, wrap the lines."""
    if error.headline:
        say()
    say(_fitting(f"dockertpl: {error.message}"))
    if error.remedy:
        say(_fitting("\n".join(f"  {line}".rstrip() for line in error.remedy.splitlines())))
    if error.headline:
        say()
        say(error.headline, color="red")


def _fitting(text: str) -> str:
    """Return a text whose lines are wrapped between words to fit a terminal. Elsewhere, return it as it is."""
    if not sys.stderr.isatty():
        return text
    width = terminal_size().columns
    lines: list[str] = []
    for line in _joined(text.splitlines(), width):
        # A note after a command is not part of the command.
        command, gap, note = line.partition("        (")
        parts = [command, f"      ({note}"] if gap and len(line) > width else [line]
        for part in parts:
            lead = re.match(r" *(?:\| *)?", part)
            indent = lead[0] if lead else ""
            lines += textwrap.wrap(
                part, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            ) or [""]
    return "\n".join(lines)


def _joined(lines: list[str], width: int) -> list[str]:
    """Return lines in which lines that were wrapped for a wider screen are joined."""
    joined: list[str] = []
    for line in lines:
        prose = re.match(r" {0,2}(?![ |])", line)
        if joined and prose and len(joined[-1]) > width and re.match(rf"{prose[0]}(?![ |])", joined[-1]):
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line)
    return joined


def redraws() -> bool:
    """Return whether stderr is a terminal that can redraw a line, outside CI."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb" and not os.environ.get("CI")


def draws(character: str) -> bool:
    """Return whether stderr can write a character that is not ASCII."""
    try:
        character.encode(sys.stderr.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class LiveLine:
    """The last line of a terminal, redrawn a few times a second by a thread until the block ends."""

    #: The line that is on the terminal now, if any.
    shown: LiveLine | None = None

    def __init__(self, compose: Callable[[], str]) -> None:
        """Take a function that returns the line's text. Another thread calls it."""
        self._compose = compose
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._drawn = ""
        self._thread = threading.Thread(target=self._draw_on, daemon=True)

    def __enter__(self) -> LiveLine:
        """Show the line."""
        LiveLine.shown = self
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line."""
        LiveLine.shown = None
        self._over.set()
        with self._lock:
            self._clear()
        self._thread.join(1)

    def above(self, text: str) -> None:
        """Write a permanent text above the line."""
        with self._lock:
            self._clear()
            click.echo(text, err=True)
            self._draw()

    def _draw_on(self) -> None:
        while not self._over.is_set():
            self._draw()
            self._over.wait(_DRAWN)

    def _draw(self) -> None:
        line = cut(printable(self._compose().replace("\n", " ")), terminal_size().columns - 1)
        with self._lock:
            if line != self._drawn and not self._over.is_set():
                self._drawn = line
                click.echo(f"\r\x1b[K{line}", nl=False, err=True)

    def _clear(self) -> None:
        if self._drawn:
            self._drawn = ""
            click.echo("\r\x1b[K", nl=False, err=True)


def cut(line: str, width: int = WIDTH) -> str:
    """Return a line of at most that many characters. A cut line ends in an ellipsis."""
    return line if len(line) <= width else f"{line[: width - 1]}…"


def show(text: str) -> None:
    """Write a part of the result to stdout. The work continues even if the reader has closed the pipe."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        leave_unread()


def spell_out() -> None:
    """Let stdout escape characters that its encoding lacks, as stderr does by default."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def leave_unread() -> None:
    """Discard the rest of stdout, because its reader has closed the pipe."""
    # The buffer must not fail at exit either.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def counted(number: int, one: str, several: str) -> str:
    """Return a number with the right noun, such as "1 file" or "2 files"."""
    return f"{number:,} {one if number == 1 else several}"


def printable(text: str) -> str:
    """Return a text with control and direction characters escaped, because they can rewrite a terminal's lines."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def place(path: Path) -> str:
    """Return a path relative to the working directory if it is below it, else the path itself."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
