"""Looks at all repositories of a fleet, several at once, and holds no more than a few of them in memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dockertpl import errors
from dockertpl.fleet import branch, pool
from dockertpl.fleet.assess import Assessment, Target, look, unreadable
from dockertpl.fleet.assess import glance as at_a_glance
from dockertpl.fleet.checkout import View, opened
from dockertpl.fleet.git_objects import Scratch
from dockertpl.fleet.model import Discovered, Repository
from dockertpl.fleet.plan import PlanItem
from dockertpl.merge.diff import of_changes
from dockertpl.merge.write import Change
from dockertpl.template.versions import Versions

#: Returns settings of git with which a repository is fetched and pushed.
Settings = Callable[[Repository], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What looking at repositories needs.

    Attributes:
        target: What their images are to be.
        versions: The template's versions.
        scratch: Where clones are made.
        settings: Settings of git for a repository.
        jobs: How many repositories at once.
        processes: How many processes compute, where all repositories are of this machine.
        stop: Called on an interrupt, so that what waits for a forge ends soon.
    """

    target: Target
    versions: Versions
    scratch: Scratch
    settings: Settings
    jobs: int
    processes: int = 1
    stop: Callable[[], None] = lambda: None


def items(
    found: Sequence[Discovered],
    context: Context,
    *,
    with_diff: bool = False,
    with_branch: bool = False,
    glance: bool = False,
) -> Generator[list[tuple[PlanItem, str]]]:
    """Yield, repository by repository in their order, its items, each with its difference if that is wanted.

    Whoever may leave early closes it, before what it works with is removed.

    Args:
        found: The repositories.
        context: What looking at them needs.
        with_diff: Whether differences are wanted.
        with_branch: Whether to look whose our branches are, which takes a process each.
        glance: Whether answers files alone are read where discovery has them.
    """
    work = partial(_items, context, with_diff, with_branch, glance)
    if context.processes > 1 and all(each.repository.is_local for each in found):
        yield from pool.computed(work, found, context.processes)
    else:
        yield from pool.ordered(work, found, context.jobs, stop=context.stop)


def _items(
    context: Context, with_diff: bool, with_branch: bool, glance: bool, found: Discovered
) -> list[tuple[PlanItem, str]]:
    repository = found.repository
    try:
        # Of what has no answers file, as the API says, there is nothing more to know.
        if found.answers is not None and (glance or not found.answers):
            rows = at_a_glance(repository, found.answers, context.target, context.versions)
            return [(PlanItem(repository=repository, row=row), "") for row in rows]
        with opened(repository, context.scratch, partial(context.settings, repository)) as view:
            looked = look(view, context.target, context.versions)
            if with_branch:
                looked = (_with_branch(view, each) for each in looked)
            return [(_item(repository, each), _diff(each) if with_diff else "") for each in looked]
    except Exception as error:
        # Whatever one repository holds, the others are seen.
        return [(_item(repository, unreadable(repository.key, errors.of(error))), "")]


def _item(repository: Repository, looked: Assessment) -> PlanItem:
    return PlanItem(repository=repository, row=looked.row, digest=looked.digest if looked.changes else "")


def _with_branch(view: View, looked: Assessment) -> Assessment:
    """Return what is known of an image, with the state of our branch where a person has a hand in it."""
    row = looked.row
    name = branch.name_of(row.image, row.answers_file)
    there = view.ours(name) if looked.changes else None
    if there is None or branch.change_of(there):
        return looked
    note = f"a person has a hand in the branch {name}"
    return replace(looked, row=replace(row, state="pr-diverged", notes=(*row.notes, note)))


def _diff(looked: Assessment) -> str:
    if looked.upgrade is None:
        return ""
    return of_changes(
        Change(path=step.path, old=step.old, new=step.new) for step in looked.upgrade.steps if step.changes
    )
