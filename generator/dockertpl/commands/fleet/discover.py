"""`dockertpl fleet discover`: print the repositories of a fleet, one per line, as a list for the other commands."""

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
    """Print the repositories that were found, as locations that git can read.

    Args:
        places: Where to look.
        include: Patterns of repositories to keep. Empty keeps all.
        exclude: Patterns of repositories to skip.
        branch: The branch that updates start from.

    Returns:
        The exit code and the result for `--json`.

    Raises:
        BadInputError: A place is not valid, or no repository was found.
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
