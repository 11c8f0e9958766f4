"""Apply a plan's items for one repository: a commit on a `dockertpl/` branch, and a pull request.

Each step checks the current state first, so repeating it changes nothing. This makes a killed run safe to resume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Literal, TypeAlias

from dockertpl import errors
from dockertpl.errors import DivergedError, ForgeError
from dockertpl.fleet import branch
from dockertpl.fleet.assess import Assessment, look_at
from dockertpl.fleet.checkout import View, opened
from dockertpl.fleet.forges.base import Forge, Proposal
from dockertpl.fleet.model import ItemResult, Repository, Result
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.scan import Context
from dockertpl.fleet.texts import changelog, issue, marker, proposal
from dockertpl.fleet.texts.parts import command
from dockertpl.merge.image_update import Upgrade
from dockertpl.template.tree import File

OnConflict: TypeAlias = Literal["issue", "draft", "skip"]

#: Builds and runs an image from a folder with a commit's files, and returns the figures. Raises if it does not run.
Verify: TypeAlias = Callable[[Path, str], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ApplyOptions:
    """Options of `fleet apply`.

    Attributes:
        on_conflict: What to do with conflicts: open an issue, open a draft with `.rej` files, or skip the image.
        draft: Whether every pull request is a draft.
        author: The author of commits, as `Name <mail>`.
        reopen: Reopen pull requests that were closed by hand.
        forge: Returns the API of a repository's GitHub or GitLab, or None for plain Git.
        verify: Builds and runs an image before its branch is pushed. None to skip this.
    """

    on_conflict: OnConflict = "issue"
    draft: bool = False
    author: str = branch.AUTHOR
    reopen: bool = False
    forge: Callable[[Repository], Forge | None] = field(default=lambda repository: None)
    verify: Verify | None = None


def apply(items: Sequence[PlanItem], context: Context, options: ApplyOptions) -> Iterator[ItemResult]:
    """Apply the items of one repository, and yield their results."""
    began = monotonic()
    repository = items[0].repository
    left = list(items)
    try:
        settings = partial(context.settings, repository)
        with opened(repository, context.scratch, settings, whole=options.verify is not None) as view:
            while left:
                yield _Item(item=left.pop(0), view=view, context=context, options=options).outcome()
    except Exception as error:
        # An error in one repository must not stop the others.
        for item in left:
            yield _outcome(item, "failed", note=_said(error), seconds=monotonic() - began)


@dataclass(frozen=True, kw_only=True)
class _Item:
    item: PlanItem
    view: View
    context: Context
    options: ApplyOptions

    def outcome(self) -> ItemResult:
        began = monotonic()
        try:
            result, url, note = self._applied()
        except DivergedError as error:
            result, url, note = "pr-diverged", "", f"{error.message} {error.remedy}"
        except Exception as error:
            result, url, note = "failed", "", _said(error)
        return _outcome(self.item, result, url=url, note=note, seconds=monotonic() - began)

    def _applied(self) -> tuple[Result, str, str]:
        looked = look_at(self.view, self.item.row.answers_file, self.context.target, self.context.versions)
        if looked.row.state in ("up-to-date", "diverged", "ahead"):
            if forge := self.options.forge(self.view.repository):
                self._close_issue(looked, forge, f"The image is now at {looked.row.version}.")
            return "unchanged", "", "already at this version"
        upgrade = looked.upgrade
        if upgrade is None or looked.digest != self.item.digest or looked.row.state != self.item.row.state:
            return "stale", "", f"it is now {looked.row.state} and differs from the plan: create a new plan"
        forge = self.options.forge(self.view.repository)
        if looked.row.conflicts and (forge is None or self.options.on_conflict != "draft"):
            return self._reported(looked, upgrade, forge)
        result, url, note = self._on_branch(looked, upgrade, forge)
        if forge and not looked.row.conflicts:
            self._close_issue(looked, forge, f"The update to {looked.row.target} no longer conflicts: {url}")
        return result, url, note

    def _on_branch(self, looked: Assessment, upgrade: Upgrade, forge: Forge | None) -> tuple[Result, str, str]:
        name = branch.name_of(looked.row.image, looked.row.answers_file)
        before = self.view.ours(name)
        held = branch.change_of(before) if before else None
        proposed = forge.proposal(self.view.repository.slug, name) if forge else None
        url = proposed.url if proposed else ""
        if before and held is None:
            return "pr-diverged", url, f"the branch {name} has commits by others: merge it or delete it"
        if proposed and self._declined(proposed, looked):
            return "skipped", url, "the pull request was closed by hand; use --reopen to open another"
        figures = None
        change = branch.change_on(self.view.branch, looked.digest)
        # A merged update that is needed again was reverted. Merging the same commit again would do nothing.
        moved = held != change or (proposed is not None and proposed.state == "merged")
        if moved and forge and proposed and proposed.state == "open" and looked.row.conflicts and not proposed.draft:
            # Make it a draft before the branch gets conflicts.
            self._propose(looked, upgrade, forge, name, proposed.body)
        if moved:
            commit = branch.make(
                self.view,
                _files(looked, upgrade),
                digest=change,
                message=proposal.commit_message(upgrade, looked.row.image),
                author=self.options.author,
                ref=name,
            )
            if self.options.verify:
                with self.view.checked_out(commit, self.context.scratch) as folder:
                    figures = self.options.verify(folder, looked.row.answers_file)
            branch.move(self.view, name, commit, before=before)
        if forge is None:
            return "branch" if moved else "unchanged", "", name
        return self._proposed(looked, upgrade, forge, name, proposed, moved=moved, figures=figures)

    def _proposed(
        self,
        looked: Assessment,
        upgrade: Upgrade,
        forge: Forge,
        name: str,
        proposed: Proposal | None,
        *,
        moved: bool,
        figures: Mapping[str, Any] | None,
    ) -> tuple[Result, str, str]:
        slug, image = self.view.repository.slug, looked.row.image
        title = proposal.title(upgrade, image)
        is_open = proposed is not None and proposed.state == "open"
        base = self.view.branch
        if proposed and is_open and not moved and proposed.base == base and _is_of(proposed, looked):
            return "unchanged", proposed.url, ""
        body = self._body(looked, upgrade, figures)
        if proposed and is_open and not looked.row.conflicts:
            return "updated", forge.amend(slug, proposed.number, base=base, title=title, body=body).url, ""
        made = self._propose(looked, upgrade, forge, name, body)
        return "updated" if is_open else "proposed", made.url, ""

    def _body(self, looked: Assessment, upgrade: Upgrade, figures: Mapping[str, Any] | None) -> str:
        news = changelog.changelog(changelog.of_template(upgrade.pair.new), looked.row.version, looked.row.target)
        return proposal.body(upgrade, looked.row.image, digest=looked.digest, changelog=news, verified=figures)

    def _propose(self, looked: Assessment, upgrade: Upgrade, forge: Forge, name: str, body: str) -> Proposal:
        """Open or update a pull request. With conflicts it becomes a draft."""
        return forge.propose(
            self.view.repository.slug,
            branch=name,
            base=self.view.branch,
            title=proposal.title(upgrade, looked.row.image),
            body=body,
            draft=self.options.draft or bool(looked.row.conflicts),
        )

    def _declined(self, proposed: Proposal, looked: Assessment) -> bool:
        """Return whether a pull request for this version was closed without merging."""
        said = marker.read(proposed.body)
        return (
            proposed.state == "closed"
            and not self.options.reopen
            and said is not None
            and said.target == looked.row.target
        )

    def _reported(self, looked: Assessment, upgrade: Upgrade, forge: Forge | None) -> tuple[Result, str, str]:
        note = f"conflicts in {', '.join(looked.row.conflicts)}: {command(upgrade)}"
        if forge is None or self.options.on_conflict == "skip":
            return "conflicted", "", note
        image = looked.row.image
        told = forge.report(
            self.view.repository.slug,
            marker.start(looked.row.answers_file),
            title=issue.title(upgrade, image),
            body=issue.body(upgrade, image, digest=looked.digest),
        )
        return "reported", told.url, note

    def _close_issue(self, looked: Assessment, forge: Forge, comment: str) -> None:
        slug = self.view.repository.slug
        try:
            told = forge.issue(slug, marker.start(looked.row.answers_file))
        except ForgeError as error:
            # Issues are turned off, or the token cannot read them: there is nothing to close.
            if error.data.get("status") not in (403, 404, 410):
                raise
            told = None
        if told:
            forge.close(slug, told.number, comment)


def _files(looked: Assessment, upgrade: Upgrade) -> Mapping[str, File | None]:
    """Return the files of a commit. A draft with conflicts has `.rej` files, too."""
    files = dict(looked.changes)
    for step in upgrade.steps:
        if step.rejected:
            files[f"{step.path}.rej"] = File(content=step.rejected.encode(errors="surrogateescape"))
    return files


def _is_of(proposed: Proposal, looked: Assessment) -> bool:
    said = marker.read(proposed.body)
    return said is not None and said.digest == looked.digest


def _outcome(item: PlanItem, result: Result, *, url: str = "", note: str = "", seconds: float) -> ItemResult:
    row = item.row
    return ItemResult(
        repository=row.repository,
        answers_file=row.answers_file,
        image=row.image,
        version=row.version,
        target=row.target,
        result=result,
        url=url,
        note=note,
        seconds=round(seconds, 3),
    )


def _said(error: Exception) -> str:
    told = errors.of(error)
    return " ".join(filter(None, (told.message, told.remedy)))
