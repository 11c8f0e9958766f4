"""`dockertpl fleet apply` and `resume`: turn a plan into branches and pull requests."""

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
    """Options of `fleet apply`. The journal stores them for `fleet resume`.

    Attributes:
        jobs: The number of repositories at a time.
        shard: The part of the plan, such as `1/4`. Empty for all of it.
        branches_only: Whether to push branches without opening pull requests.
        on_conflict: What to do if both sides changed the same lines.
        draft: Whether to open every pull request as a draft.
        reopen: Whether to open another pull request if one was closed by hand.
        verify: Whether to build and run each image before its branch is pushed.
        author: The author of the commits.
        waves: The number or share of items to have done after each wave.
        max_failures: The number or share of failures that stops the rollout.
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
        """The pace of the rollout."""
        return Rollout(waves=self.waves, max_failures=self.max_failures, pause=self.pause)

    def part(self) -> tuple[int, int]:
        """Return the number of the shard and the number of shards.

        Raises:
            BadInputError: The option `--shard` is not valid.
        """
        return shards.read(self.shard) if self.shard else (1, 1)


def run(*, plan: Path, journal: Path | None, quiet: bool, **options: Any) -> tuple[int, Mapping[str, Any]]:
    """Apply a plan.

    Args:
        plan: The plan's file.
        journal: The file to record progress in. None is beside the plan.
        options: The fields of `Options`.

    Returns:
        The exit code (1 if the user has to act) and the result for `--json`.

    Raises:
        BadInputError: The plan or an option is not valid, or the journal already exists.
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
    """Continue an apply that was stopped, paused or killed.

    Args:
        failed: Whether to retry what failed or needs the user.

    Returns:
        The exit code (1 if the user has to act) and the result for `--json`.

    Raises:
        BadInputError: The journal is not valid or is in use, or the plan has changed.
        MachineError: A forge or the template cannot be reached, or git is missing.
        StoppedError: Ctrl-C.
    """
    with journals.gone_on(journal) as opened:
        if not Path(opened.head.plan).exists():
            raise BadInputError(
                f"{opened.head.plan}, the plan of {journal}, does not exist.",
                "Run this in the folder where you applied it, or put the plan back.",
            )
        read = plans.read(Path(opened.head.plan))
        if read.hash != opened.head.hash:
            raise BadInputError(
                f"{opened.head.plan} is not the plan of {journal}. It has changed.",
                f"Apply the new one with: dockertpl fleet apply {shlex.quote(opened.head.plan)} --journal ANOTHER",
            )
        if failed:
            for key in [key for key, outcome in opened.done.items() if outcome.result in RESULTS_FOR_PERSON]:
                del opened.done[key]
        try:
            chosen = Options(**opened.head.options)
        except TypeError as error:
            raise BadInputError(
                f"{journal} is from another version of dockertpl.", "Make another plan, and apply it."
            ) from error
        return _applied(read, chosen, opened, journal, quiet)


def _applied(plan: Plan, options: Options, journal: Journal, path: Path, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    number, of = options.part()
    items = [item for item in shards.shard(plan.items, number, of) if item.to_do]
    at = forges(share=of, quiet=quiet)
    if not options.branches_only:
        # First of all: without a token, every pull request would fail.
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
            # Close it before its inputs are removed.
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
        why = "Paused after a wave" if ended.why == "paused" else "Stopped: more failed than --max-failures allows"
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
    return f"Continue with: dockertpl fleet resume {shlex.quote(str(journal))}"


def _author(text: str) -> str:
    if not text:
        return AUTHOR
    if not re.fullmatch(r"[^<>\n]+ <[^<>\s]+>", text):
        raise BadInputError(f"--author {text!r} is not NAME <MAIL>.", "Write: --author 'Our Bot <bot@example.com>'")
    return text


def _verify(check: Callable[[], None], folder: Path, answers_file: str) -> Mapping[str, Any]:
    # Imported here because it needs an engine, and most applies do not.
    from dockertpl.commands.fleet.verify_item import verified

    return verified(folder, answers_file, check=check)
