"""Print rows and results in the requested format."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from dockertpl.errors import BadInputError
from dockertpl.fleet import shards
from dockertpl.fleet.reports.columns import Sheet, T
from dockertpl.fleet.reports.csv import csv
from dockertpl.fleet.reports.html import html
from dockertpl.fleet.reports.markdown import markdown
from dockertpl.fleet.reports.table import colorful, table
from dockertpl.screen import terminal_size

#: Formats that divide a plan into shards for CI, instead of a table.
DIVIDED = ("github-matrix", "gitlab")


def check(form: str, number: int) -> None:
    """Refuse a format for shards without shards, and the other way round.

    Args:
        form: The format.
        number: The number of shards. 0 means the plan is not divided.

    Raises:
        BadInputError: The two do not fit.
    """
    if (form in DIVIDED) != bool(number):
        raise BadInputError(
            "--shards needs --format github-matrix or gitlab, and these need --shards.", "Use both or neither."
        )


def divided(form: str, number: int, plan: Path) -> str:
    """Return the CI configuration that runs a plan's shards in parallel.

    Args:
        form: One of `DIVIDED`.
        number: The number of shards.

    Raises:
        BadInputError: There are more shards than the CI service allows.
    """
    if form == "gitlab":
        return shards.gitlab_children(number, plan=plan.as_posix())
    return f"{json.dumps(shards.github_matrix(number))}\n"


def show(records: Sequence[T], sheet: Sheet[T], form: str, *, title: str, output: Path | None = None) -> None:
    """Print rows or outcomes, or write them to a file.

    Args:
        records: The rows or results.
        sheet: Their columns.
        form: One of `FORMS`.
        title: Their title.
        output: The file, or None for stdout.

    Raises:
        BadInputError: The file cannot be written.
    """
    pieces = _pieces(records, sheet, form, title)
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(pieces)
    except OSError as error:
        raise BadInputError(f"{output} cannot be written: {error.strerror}.", "Name another with --output.") from error


def _pieces(records: Sequence[T], sheet: Sheet[T], form: str, title: str) -> Iterable[str]:
    if form == "csv":
        return csv(records, sheet)
    if form == "markdown":
        return markdown(records, sheet, title=title)
    if form == "html":
        return html(records, sheet, title=title)
    # Anything but a terminal is probably a log, which has no fixed width.
    width = terminal_size(sys.stdout).columns if sys.stdout.isatty() else 120
    return [table(records, sheet, width=width, color=colorful(sys.stdout))]
