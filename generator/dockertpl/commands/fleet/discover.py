"""`dockertpl fleet discover`: the repositories of a fleet, one a line, as a list for the other commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from dockertpl.commands.fleet.session import fleet
from dockertpl.screen import counted, printable, say


def run(
    *, places: Sequence[str], include: Sequence[str], exclude: Sequence[str], branch: str, quiet: bool
) -> tuple[int, Mapping[str, Any]]:
    """Print the repositories that are found, by what git reads.

    Args:
        places: Where they are.
        include: Patterns of those that are wanted; none means all.
        exclude: Patterns of those that are not.
        branch: The branch that updates start from.
        quiet: Whether to print nothing at all.

    Returns:
        The exit code and the result for `--json`.

    Raises:
        BadInputError: A place is none, or nothing is there.
        ForgeError: A forge refuses or cannot be reached.
    """
    found = fleet(places=places, include=include, exclude=exclude, branch=branch, quiet=quiet).found()
    if not quiet:
        click.echo(printable("\n".join(each.repository.location for each in found)))
    with_image = sum(bool(each.answers) for each in found)
    known = f", {with_image} with an answers file" if any(each.answers is not None for each in found) else ""
    say(f"{counted(len(found), 'repository', 'repositories')}{known}.", quiet=quiet)
    return 0, {
        "repositories": [
            {**asdict(each.repository), "answers_files": sorted(each.answers) if each.answers is not None else None}
            for each in found
        ]
    }
