"""What a person sees: prose on stderr, and nothing that a file could do to a terminal."""

from __future__ import annotations

import click


def say(text: str = "", *, quiet: bool = False) -> None:
    """Write prose to stderr.

    Args:
        text: What to say; may be several lines.
        quiet: Whether to say nothing, as with `--json`.
    """
    if not quiet:
        click.echo(printable(text), err=True)


def printable(text: str) -> str:
    """Return a text in which control and direction characters are spelled out, as they can rewrite a terminal's lines.

    Args:
        text: Text that may hold what a repository, an answer or a program gave.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)
