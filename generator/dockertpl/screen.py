"""What a person sees: results on stdout, prose on stderr, and nothing that a file could do to a terminal."""

from __future__ import annotations

import io
import os
import sys

import click


def say(text: str = "", *, quiet: bool = False) -> None:
    """Write prose to stderr.

    Args:
        text: What to say; may be several lines.
        quiet: Whether to say nothing, as with `--json`.
    """
    if not quiet:
        click.echo(printable(text), err=True)


def redraws() -> bool:
    """Return whether stderr is a terminal on which a line can be drawn anew, as a bar is."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def show(text: str) -> None:
    """Write a part of the result to stdout, for work that goes on whether or not somebody reads it.

    Args:
        text: The part, with the ends of its lines.
    """
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        leave_unread()


def spell_out() -> None:
    """Let stdout spell out the characters that its encoding does not have, as stderr does by itself."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def leave_unread() -> None:
    """Let what is still to come on stdout go nowhere, as whoever read it has enough of it."""
    # What is left in the buffer must not fail at the very end either.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def counted(number: int, one: str, several: str) -> str:
    """Return a number of things in words.

    Args:
        number: How many.
        one: What one of them is called.
        several: What several are called.
    """
    return f"{number:,} {one if number == 1 else several}"


def printable(text: str) -> str:
    """Return a text in which control and direction characters are spelled out, as they can rewrite a terminal's lines.

    Args:
        text: Text that may hold what a repository, an answer or a program gave.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)
