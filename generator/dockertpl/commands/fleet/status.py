"""`dockertpl fleet status`: one row an image, with the state that it is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dockertpl import errors
from dockertpl.commands.fleet import output_formats
from dockertpl.commands.fleet.session import context, fleet, progress
from dockertpl.fleet import pool, scan
from dockertpl.fleet.forges.connect import Forges
from dockertpl.fleet.model import Row
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.proposals import with_proposal
from dockertpl.fleet.reports.columns import ROWS


def run(
    *,
    places: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    branch: str,
    template: str | None,
    to: str | None,
    jobs: int,
    glance: bool,
    form: str,
    output: Path | None,
    quiet: bool,
) -> tuple[int, Mapping[str, Any]]:
    """Look at every repository and print what state each of its images is in.

    Args:
        places: Where the repositories are.
        include: Patterns of those that are wanted; none means all.
        exclude: Patterns of those that are not.
        branch: The branch that updates start from.
        template: The template whose images are meant; None is the published one.
        to: The version that they are to have; None is its latest release.
        jobs: How many repositories at once.
        glance: Whether answers files alone are read where the forge's API gives them, and nothing is cloned.
        form: What is printed.
        output: Where it is written; None is stdout.
        quiet: Whether to print nothing at all.

    Returns:
        The exit code (1 where something is outdated or a person is needed) and the result for `--json`.

    Raises:
        BadInputError: A place is none, or the output cannot be written.
        MachineError: A forge or the template cannot be reached, or git is missing.
    """
    named = fleet(places=places, include=include, exclude=exclude, branch=branch, quiet=quiet)
    found = named.found()
    with (
        context(named.forges, template=template, to=to, jobs=jobs) as ready,
        closing(scan.items(found, ready, with_branch=True, glance=glance)) as looked,
    ):
        items = [
            item for pairs in progress(looked, total=len(found), what="repositories", quiet=quiet) for item, _ in pairs
        ]
        rows = list(pool.ordered(lambda item: _row(item, named.forges), items, jobs, stop=ready.stop))
    if not quiet or output:
        output_formats.show(rows, ROWS, form, title=f"Fleet, seen from {ready.target.to}", output=output)
    states = Counter(row.state for row in rows)
    return int(any(row.person_needed or row.state in ("outdated", "pr-open") for row in rows)), {
        "template": ready.target.template,
        "to": ready.target.to,
        "states": dict(sorted(states.items())),
        "rows": [asdict(row) for row in rows],
    }


def _row(item: PlanItem, forges: Forges) -> Row:
    if not item.repository.forge or not (item.digest or item.to_do):
        return item.row
    try:
        forge = forges.of(item.repository)
        return with_proposal(item, forge) if forge else item.row
    except Exception as error:
        # Whatever the forge says of one, the others are seen.
        return replace(item.row, notes=(*item.row.notes, errors.of(error).message))
