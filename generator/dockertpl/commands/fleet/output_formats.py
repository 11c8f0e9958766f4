"""Prints rows and outcomes in the form that was asked for."""

from __future__ import annotations

import json
import shutil
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
from dockertpl.fleet.reports.table import colourful, table

#: What says into how many runs a plan is divided, in place of a table.
DIVIDED = ("github-matrix", "gitlab")


def check(form: str, number: int) -> None:
    """Refuse a form that goes with shards where there are none, and the other way round.

    Args:
        form: The form.
        number: Into how many runs the plan is divided; 0 for not at all.

    Raises:
        BadInputError: They do not fit.
    """
    if (form in DIVIDED) != bool(number):
        raise BadInputError(
            "--shards goes with --format github-matrix or gitlab, and these with --shards.", "Name both or neither."
        )


def divided(form: str, number: int, plan: Path) -> str:
    """Return what lets an engine of CI run a plan's shards beside each other.

    Args:
        form: One of `DIVIDED`.
        number: How many shards.
        plan: The plan.

    Raises:
        BadInputError: There are more than the engine takes.
    """
    if form == "gitlab":
        return shards.gitlab_children(number, plan=plan.as_posix())
    return f"{json.dumps(shards.github_matrix(number))}\n"


def show(records: Sequence[T], sheet: Sheet[T], form: str, *, title: str, output: Path | None = None) -> None:
    """Print rows or outcomes, or write them to a file.

    Args:
        records: The rows or outcomes.
        sheet: Which of them they are.
        form: The output format, such as `table`.
        title: What they are.
        output: The file; None is stdout.

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
    # What is no terminal is mostly a log, which is read as wide as it is.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
    return [table(records, sheet, width=width, colour=colourful(sys.stdout))]
