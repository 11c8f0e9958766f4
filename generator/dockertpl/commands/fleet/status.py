"""`dockertpl fleet status`: one row per image, with its state."""

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
    """Look at every repository and print the state of each image.

    Args:
        places: Where the repositories are.
        include: Patterns of repositories to keep. Empty keeps all.
        exclude: Patterns of repositories to skip.
        branch: The branch that updates start from.
        template: The template of the images. None is the published one.
        to: The version to compare with. None is the latest release.
        jobs: The number of repositories at a time.
        glance: Whether to read only answers files over the forge's API, and clone nothing.
        form: The format to print.
        output: The file, or None for stdout.

    Returns:
        The exit code (1 if an image is outdated or the user has to act) and the result for `--json`.

    Raises:
        BadInputError: A place is not valid, or the output cannot be written.
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
        output_formats.show(rows, ROWS, form, title=f"Fleet, compared with {ready.target.to}", output=output)
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
        # A failure for one repository must not hide the others.
        return replace(item.row, notes=(*item.row.notes, errors.of(error).message))
