"""Apply a plan in waves, several repositories at once, with a failure threshold and a journal."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from dockertpl.errors import BadInputError
from dockertpl.fleet import pool
from dockertpl.fleet.apply import ApplyOptions, apply
from dockertpl.fleet.journal import Journal
from dockertpl.fleet.model import ItemResult
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.scan import Context


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The pace of an apply.

    Attributes:
        waves: How many items are done after each wave, as `10` or `25%` of all. The last wave has all of them.
        max_failures: Stop after this many failures, as `5` or `10%` of the items done so far. Empty for never.
        pause: Whether to stop after each wave until you resume.
    """

    waves: Sequence[str] = ()
    max_failures: str = ""
    pause: bool = False


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended.

    Attributes:
        left: The number of items that are not done.
        why: `done`, `paused` after a wave, or `failures` beyond the threshold.
    """

    left: int
    why: str


def check(rollout: Rollout) -> None:
    """Raise `BadInputError` if a wave or the threshold is neither a number nor a percentage."""
    for text in (*rollout.waves, *filter(None, [rollout.max_failures])):
        _count(text, 1)


def run(
    items: Iterable[PlanItem],
    context: Context,
    options: ApplyOptions,
    rollout: Rollout,
    journal: Journal,
) -> Generator[ItemResult | Ended]:
    """Apply items. Yield their results in order, then how the run ended.

    Args:
        items: All items to apply, in order, including those that the journal has.
        context: The settings. `stop` is also called if the caller stops early.
        options: The options of `fleet apply`.
        rollout: The pace.
        journal: The journal. Items with a result there are not applied again.
    """
    every = list(items)
    failed = done = 0
    for end in _ends(rollout.waves, len(every)):
        wave = [item for item in every[:end] if item.key not in journal.done]
        if not wave:
            continue
        work = partial(_noted, context, options, journal)
        too_many = False
        # Close before counting what is left: items that have begun are finished first.
        with closing(pool.ordered(work, _by_repository(wave), context.jobs, stop=context.stop)) as results:
            for outcomes in results:
                for outcome in outcomes:
                    done += 1
                    failed += outcome.result == "failed"
                    try:
                        yield outcome
                    except GeneratorExit:
                        # The caller was interrupted.
                        context.stop()
                        raise
                too_many = bool(rollout.max_failures) and failed > _count(rollout.max_failures, max(done, 10))
                if too_many:
                    break
        if too_many:
            yield _ended(every, journal, "failures")
            return
        if rollout.pause and end < len(every):
            yield _ended(every, journal, "paused")
            return
    yield _ended(every, journal, "done")


def _noted(context: Context, options: ApplyOptions, journal: Journal, items: Sequence[PlanItem]) -> list[ItemResult]:
    outcomes = []
    for outcome in apply(items, context, options):
        journal.write(outcome)
        outcomes.append(outcome)
    return outcomes


def _by_repository(items: Sequence[PlanItem]) -> Iterator[list[PlanItem]]:
    """Group the items by repository: no two threads may work on one repository."""
    for _, group in groupby(items, key=lambda item: item.repository.key):
        yield list(group)


def _ended(items: Sequence[PlanItem], journal: Journal, why: str) -> Ended:
    return Ended(left=sum(item.key not in journal.done for item in items), why=why)


def _ends(waves: Sequence[str], total: int) -> list[int]:
    return [*sorted({min(_count(wave, total), total) for wave in waves} - {total}), total]


def _count(text: str, total: int) -> int:
    number = text.removesuffix("%")
    if not number.isdecimal() or (text.endswith("%") and int(number) > 100):
        raise BadInputError(f"{text!r} is neither a number nor a percentage.", "Write a value such as 10 or 25%.")
    return math.ceil(int(number) * total / 100) if text.endswith("%") else int(number)
