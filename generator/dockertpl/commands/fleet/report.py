"""`dockertpl fleet report`: the result of an apply, from one or more journals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dockertpl.commands.fleet import output_formats
from dockertpl.errors import BadInputError
from dockertpl.fleet import journal as journals
from dockertpl.fleet import plan as plans
from dockertpl.fleet.model import ItemResult
from dockertpl.fleet.reports.columns import OUTCOMES
from dockertpl.screen import counted, say


def run(
    *, journals_of: Sequence[Path], plan: Path | None, form: str, output: Path | None, quiet: bool
) -> tuple[int, Mapping[str, Any]]:
    """Print the result of each item of a plan, from the journals of all its shards.

    Args:
        journals_of: The journals, all of one plan.
        plan: The plan, to also list what no journal has. None lists only the journals.
        form: The format to print.
        output: The file, or None for stdout.

    Returns:
        The exit code (1 if the user has to act) and the result for `--json`.

    Raises:
        BadInputError: A journal is not valid, or the files belong to different plans.
    """
    hashes = set()
    found: dict[tuple[str, str], ItemResult] = {}
    for path in journals_of:
        head, outcomes = journals.outcomes(path)
        hashes.add(head.hash)
        found |= outcomes
    if len(hashes) > 1:
        raise BadInputError(
            f"{', '.join(map(str, journals_of))} belong to {len(hashes)} plans.", "Report on one plan at a time."
        )
    left = _left(plan, hashes, found) if plan else []
    records = [found[key] for key in sorted(found)]
    if not quiet or output:
        output_formats.show(records, OUTCOMES, form, title="Result of the apply", output=output)
    counts = Counter(outcome.result for outcome in records)
    if left:
        what = counted(len(left), "image of the plan is", "images of the plan are")
        say(f"{what} in no journal, for example {' '.join(left[0])}.", quiet=quiet)
    return int(bool(left) or any(outcome.person_needed for outcome in records)), {
        "hash": next(iter(hashes)),
        "results": dict(sorted(counts.items())),
        "left": len(left),
        "outcomes": [asdict(outcome) for outcome in records],
    }


def _left(path: Path, hashes: set[str], found: Mapping[tuple[str, str], ItemResult]) -> list[tuple[str, str]]:
    plan = plans.read(path)
    if {plan.hash} != hashes:
        raise BadInputError(f"{path} is not the plan of these journals.", "Name the plan that was applied.")
    return [item.key for item in plan.items if item.to_do and item.key not in found]
