"""`dockertpl fleet plan`: write what an update of a fleet would change, as a plan with a hash."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from dockertpl.commands.fleet import output_formats
from dockertpl.commands.fleet.session import context, fleet, progress, tell
from dockertpl.fleet import plan as plans
from dockertpl.fleet import scan
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.reports.columns import ROWS
from dockertpl.screen import counted, say


def run(
    *,
    places: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    branch: str,
    template: str | None,
    to: str | None,
    jobs: int,
    output: Path,
    diff: bool,
    shards: int,
    form: str,
    quiet: bool,
) -> tuple[int, Mapping[str, Any]]:
    """Look at every repository, print what would change, and write the plan. Change no repository.

    Args:
        places: Where the repositories are.
        include: Patterns of repositories to keep. Empty keeps all.
        exclude: Patterns of repositories to skip.
        branch: The branch that updates start from.
        template: The template of the images. None is the published one.
        to: The version to update to. None is the latest release.
        jobs: The number of repositories at a time.
        output: The file of the plan.
        diff: Whether to print diffs instead of the table.
        shards: The number of shards to divide the plan into.
        form: The format to print.

    Returns:
        The exit code (1 if the user would have to act) and the result for `--json`.

    Raises:
        BadInputError: A place is not valid, or the plan cannot be written.
        MachineError: A forge or the template cannot be reached, or git is missing.
    """
    output_formats.check(form, shards)
    named = fleet(places=places, include=include, exclude=exclude, branch=branch, quiet=quiet)
    found = named.found()
    items: list[PlanItem] = []
    with (
        context(named.forges, template=template, to=to, jobs=jobs) as ready,
        closing(scan.items(found, ready, with_diff=diff)) as looked,
    ):

        def each() -> Iterator[PlanItem]:
            for pairs in progress(looked, total=len(found), what="repositories", quiet=quiet):
                for item, text in pairs:
                    if text and not quiet:
                        tell(f"# {item.repository.key}\n{text}")
                    items.append(item)
                    yield item

        digest = plans.write(output, ready.target, each())
    rows = [item.row for item in items]
    states = Counter(row.state for row in rows)
    to_do = sum(item.to_do for item in items)
    if form in output_formats.DIVIDED:
        click.echo(output_formats.divided(form, shards, output), nl=False)
    elif not quiet and not diff:
        output_formats.show(rows, ROWS, form, title=f"Plan for {ready.target.to}")
    conflicts = states["conflicted"]
    also = f", and {counted(conflicts, 'has', 'have')} conflicts" if conflicts else ""
    images = counted(len(rows), "image", "images")
    say(f"{to_do - conflicts} of {images} would be updated to {ready.target.to}{also}.", quiet=quiet)
    say(f"Plan: {output}, hash {digest[:12]}", quiet=quiet)
    if to_do:
        shard = f" --shard K/{shards}" if shards else ""
        say(f"Apply it with: dockertpl fleet apply {shlex.quote(str(output))}{shard}", quiet=quiet)
    return int(any(row.person_needed for row in rows)), {
        "plan": str(output),
        "hash": digest,
        "template": ready.target.template,
        "to": ready.target.to,
        "to_do": to_do,
        "states": dict(sorted(states.items())),
        "rows": [asdict(row) for row in rows],
    }
