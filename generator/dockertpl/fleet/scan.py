"""Assess all repositories of a fleet, several at once. Only a few of them are in memory at a time."""

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

#: Returns the git settings to fetch and push a repository.
Settings = Callable[[Repository], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Context:
    """Shared settings for assessing and updating repositories.

    Attributes:
        target: The template and version to update to.
        versions: The template's versions.
        scratch: The folder for clones.
        settings: Returns the git settings for a repository.
        jobs: The number of repositories at once.
        processes: The number of processes if all repositories are on this machine.
        stop: Called on an interrupt, to end all waits for GitHub or GitLab.
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
    """Yield the items of each repository in order, each with its diff.

    A caller that stops early must close the generator before it removes the scratch folder.

    Args:
        found: The repositories.
        context: The settings.
        with_diff: Whether to compute diffs.
        with_branch: Whether to check who committed to the `dockertpl/` branches. This runs a process for each.
        glance: Whether the answers files from discovery are enough.
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
        # Without an answers file there is nothing more to find.
        if found.answers is not None and (glance or not found.answers):
            rows = at_a_glance(repository, found.answers, context.target, context.versions)
            return [(PlanItem(repository=repository, row=row), "") for row in rows]
        with opened(repository, context.scratch, partial(context.settings, repository)) as view:
            looked = look(view, context.target, context.versions)
            if with_branch:
                looked = (_with_branch(view, each) for each in looked)
            return [(_item(repository, each), _diff(each) if with_diff else "") for each in looked]
    except Exception as error:
        # An error in one repository must not stop the others.
        return [(_item(repository, unreadable(repository.key, errors.of(error))), "")]


def _item(repository: Repository, looked: Assessment) -> PlanItem:
    return PlanItem(repository=repository, row=looked.row, digest=looked.digest if looked.changes else "")


def _with_branch(view: View, looked: Assessment) -> Assessment:
    """Return an assessment with the state `pr-diverged` if others committed to the branch."""
    row = looked.row
    name = branch.name_of(row.image, row.answers_file)
    there = view.ours(name) if looked.changes else None
    if there is None or branch.change_of(there):
        return looked
    note = f"the branch {name} has commits by others"
    return replace(looked, row=replace(row, state="pr-diverged", notes=(*row.notes, note)))


def _diff(looked: Assessment) -> str:
    if looked.upgrade is None:
        return ""
    return of_changes(
        Change(path=step.path, old=step.old, new=step.new) for step in looked.upgrade.steps if step.changes
    )
