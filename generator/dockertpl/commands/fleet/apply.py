"""`dockertpl fleet apply` and `resume`: a plan becomes branches and pull requests."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dockertpl.commands.fleet.session import context, forges, progress, tell
from dockertpl.errors import BadInputError, StoppedError
from dockertpl.fleet import journal as journals
from dockertpl.fleet import plan as plans
from dockertpl.fleet import run as runs
from dockertpl.fleet import shards
from dockertpl.fleet.apply import ApplyOptions, OnConflict
from dockertpl.fleet.branch import AUTHOR
from dockertpl.fleet.journal import Head, Journal
from dockertpl.fleet.model import RESULTS_FOR_PERSON, ItemResult
from dockertpl.fleet.plan import Plan
from dockertpl.fleet.run import Ended, Rollout
from dockertpl.screen import counted, say


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a plan is applied; a journal keeps it, so that `resume` needs no more.

    Attributes:
        jobs: How many repositories at once.
        shard: Which part of the plan, as `1/4`; empty for all of it.
        branches_only: Whether no forge is asked: branches are pushed, and no pull request is opened.
        on_conflict: What happens where both sides changed the same lines.
        draft: Whether every pull request is a draft.
        reopen: Whether a pull request is opened anew that a person closed.
        verify: Whether each image is built and run before its branch is pushed.
        author: Who commits.
        waves: How many items are done after each wave.
        max_failures: Where to stop.
        pause: Whether to stop after each wave.
    """

    jobs: int
    shard: str
    branches_only: bool
    on_conflict: OnConflict
    draft: bool
    reopen: bool
    verify: bool
    author: str
    waves: Sequence[str]
    max_failures: str
    pause: bool

    @property
    def rollout(self) -> Rollout:
        """How fast the plan is applied."""
        return Rollout(waves=self.waves, max_failures=self.max_failures, pause=self.pause)

    def part(self) -> tuple[int, int]:
        """Return which part of how many is meant.

        Raises:
            BadInputError: It is none.
        """
        return shards.read(self.shard) if self.shard else (1, 1)


def run(*, plan: Path, journal: Path | None, quiet: bool, **options: Any) -> tuple[int, Mapping[str, Any]]:
    """Apply a plan.

    Args:
        plan: The plan's file.
        journal: Where what was done is noted; None is beside the plan.
        quiet: Whether to print nothing at all.
        options: The fields of `Options`.

    Returns:
        The exit code (1 where a person is needed) and the result for `--json`.

    Raises:
        BadInputError: The plan or an option will not do, or the journal is there already.
        MachineError: A forge or the template cannot be reached, or git is missing.
        StoppedError: Ctrl-C.
    """
    waves = [wave.strip() for wave in options.pop("waves").split(",") if wave.strip()]
    chosen = Options(**{**options, "waves": waves, "author": _author(options.pop("author"))})
    number, of = chosen.part()
    runs.check(chosen.rollout)
    read = plans.read(plan)
    suffix = f".shard-{number}-of-{of}" if of > 1 else ""
    path = journal or plan.with_suffix(f"{suffix}.journal.jsonl")
    with journals.begun(path, Head(plan=str(plan), hash=read.hash, options=asdict(chosen))) as begun:
        return _applied(read, chosen, begun, path, quiet)


def resume(*, journal: Path, failed: bool, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    """Go on with a plan that was stopped, paused or killed.

    Args:
        journal: The journal.
        failed: Whether what needs a person or failed is done again too.
        quiet: Whether to print nothing at all.

    Returns:
        The exit code (1 where a person is needed) and the result for `--json`.

    Raises:
        BadInputError: It is no journal, is in use, or its plan is another now.
        MachineError: A forge or the template cannot be reached, or git is missing.
        StoppedError: Ctrl-C.
    """
    with journals.gone_on(journal) as opened:
        if not Path(opened.head.plan).exists():
            raise BadInputError(
                f"{opened.head.plan}, the plan that {journal} is of, is not there.",
                "Go on in the folder in which it was applied, or put it back where it was.",
            )
        read = plans.read(Path(opened.head.plan))
        if read.hash != opened.head.hash:
            raise BadInputError(
                f"{opened.head.plan} is another plan than {journal} is of.",
                f"Apply the new one with: dockertpl fleet apply {shlex.quote(opened.head.plan)} --journal ANOTHER",
            )
        if failed:
            for key in [key for key, outcome in opened.done.items() if outcome.result in RESULTS_FOR_PERSON]:
                del opened.done[key]
        try:
            chosen = Options(**opened.head.options)
        except TypeError as error:
            raise BadInputError(f"{journal} is of another version of dockertpl.", "Plan and apply anew.") from error
        return _applied(read, chosen, opened, journal, quiet)


def _applied(plan: Plan, options: Options, journal: Journal, path: Path, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    number, of = options.part()
    items = [item for item in shards.shard(plan.items, number, of) if item.to_do]
    at = forges(share=of, quiet=quiet)
    if not options.branches_only:
        # Before anything is touched: without a token the first pull request would fail, and so would all.
        for name in sorted({item.repository.forge for item in items if item.repository.forge}):
            at.connect(name)
    how = ApplyOptions(
        on_conflict=options.on_conflict,
        draft=options.draft,
        author=options.author,
        reopen=options.reopen,
        forge=(lambda repository: None) if options.branches_only else at.of,
        verify=partial(_verify, at.check) if options.verify else None,
    )
    ended = Ended(left=len(items), why="done")
    left = sum(item.key not in journal.done for item in items)
    try:
        with (
            context(at, template=plan.target.template, to=plan.target.to, jobs=options.jobs) as ready,
            # Ended before what it works with is removed.
            closing(runs.run(items, ready, how, options.rollout, journal)) as done,
        ):
            for each in progress(done, total=left, what="images", quiet=quiet):
                if isinstance(each, Ended):
                    ended = each
                else:
                    _say(each, quiet)
    except KeyboardInterrupt:
        raise StoppedError(
            f"interrupted; {len(journal.done)} of {counted(len(items), 'image is', 'images are')} done.",
            _go_on(path),
        ) from None
    return _result(items, journal, ended, path, quiet)


def _say(outcome: ItemResult, quiet: bool) -> None:
    if not quiet:
        note = f": {outcome.note}" if outcome.note else ""
        url = f" {outcome.url}" if outcome.url else ""
        tell(f"{outcome.repository} {outcome.image}: {outcome.result}{url}{note}\n")


def _result(
    items: Sequence[plans.PlanItem], journal: Journal, ended: Ended, path: Path, quiet: bool
) -> tuple[int, Mapping[str, Any]]:
    outcomes = [journal.done[item.key] for item in items if item.key in journal.done]
    counts = Counter(outcome.result for outcome in outcomes)
    words = ", ".join(f"{count} {result}" for result, count in sorted(counts.items())) or "nothing to do"
    say(f"{words}. Journal: {path}", quiet=quiet)
    if ended.why != "done":
        why = "Paused after a wave" if ended.why == "paused" else "Stopped, as more failed than --max-failures allows"
        say(f"{why}: {counted(ended.left, 'image is', 'images are')} left.\n{_go_on(path)}", quiet=quiet)
    needed = ended.left or any(outcome.person_needed for outcome in outcomes)
    return int(bool(needed)), {
        "plan": journal.head.plan,
        "hash": journal.head.hash,
        "journal": str(path),
        "ended": ended.why,
        "left": ended.left,
        "results": dict(sorted(counts.items())),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }


def _go_on(journal: Path) -> str:
    return f"Go on with: dockertpl fleet resume {shlex.quote(str(journal))}"


def _author(text: str) -> str:
    if not text:
        return AUTHOR
    if not re.fullmatch(r"[^<>\n]+ <[^<>\s]+>", text):
        raise BadInputError(f"--author {text!r} is not NAME <MAIL>.", "Write: --author 'Our Bot <bot@example.com>'")
    return text


def _verify(check: Callable[[], None], folder: Path, answers_file: str) -> Mapping[str, Any]:
    # It needs an engine, which an apply mostly does not.
    from dockertpl.commands.fleet.verify_item import verified

    return verified(folder, answers_file, check=check)
