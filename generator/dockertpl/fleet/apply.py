"""Applies one repository's items of a plan: a commit on a branch of ours, and a pull request where there is a forge.

Each step first asks what is there, so that doing it all again changes nothing: that, and no memory of ours, is what
makes a run that was killed safe to go on with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Literal, TypeAlias

from dockertpl.errors import DivergedError, DockertplError
from dockertpl.fleet import branch, texts
from dockertpl.fleet.forges.base import Forge, Proposal
from dockertpl.fleet.look import Looked, look_at
from dockertpl.fleet.model import Outcome, Repository, Result
from dockertpl.fleet.plan import Item
from dockertpl.fleet.survey import Tools
from dockertpl.fleet.view import View, opened
from dockertpl.template.tree import File

OnConflict: TypeAlias = Literal["issue", "draft", "skip"]

#: Builds and runs an image from a folder that holds a commit, and returns what there is to say of it; raises where it
#: does not run.
Verify: TypeAlias = Callable[[Path, str], str]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How items are applied.

    Attributes:
        on_conflict: What happens where both sides changed the same lines: an issue tells of it, a draft holds what
            could be merged with the rest beside it in `.rej` files, or nothing is done.
        draft: Whether every pull request is a draft.
        author: Who commits, as `Name <mail>`.
        reopen: Whether a pull request is opened anew that a person closed.
        forge: Returns a repository's forge; None for plain Git.
        verify: Builds and runs an image before its branch is pushed; None for no such proof.
    """

    on_conflict: OnConflict = "issue"
    draft: bool = False
    author: str = branch.AUTHOR
    reopen: bool = False
    forge: Callable[[Repository], Forge | None] = field(default=lambda repository: None)
    verify: Verify | None = None


def apply(items: Sequence[Item], tools: Tools, manner: Manner) -> Iterator[Outcome]:
    """Apply a repository's items, and yield what became of each.

    Args:
        items: Items of one repository.
        tools: What looking at it needs.
        manner: How they are applied.
    """
    began = monotonic()
    repository = items[0].repository
    left = list(items)
    try:
        settings = tools.settings(repository)
        with opened(repository, tools.scratch, settings, whole=manner.verify is not None) as view:
            while left:
                yield _Item(item=left.pop(0), view=view, tools=tools, manner=manner).outcome()
    except (DockertplError, OSError) as error:
        for item in left:
            yield _outcome(item, "failed", note=_said(error), seconds=monotonic() - began)


@dataclass(frozen=True, kw_only=True)
class _Item:
    item: Item
    view: View
    tools: Tools
    manner: Manner

    def outcome(self) -> Outcome:
        began = monotonic()
        try:
            result, url, note = self._applied()
        except DivergedError as error:
            result, url, note = "pr-diverged", "", f"{error.message} {error.remedy}"
        except (DockertplError, OSError) as error:
            result, url, note = "failed", "", _said(error)
        return _outcome(self.item, result, url=url, note=note, seconds=monotonic() - began)

    def _applied(self) -> tuple[Result, str, str]:
        looked = look_at(self.view, self.item.row.answers_file, self.tools.goal, self.tools.versions)
        if looked.row.state in ("up-to-date", "diverged", "ahead"):
            return "unchanged", "", "it has that version already"
        if looked.digest != self.item.digest or looked.row.state != self.item.row.state:
            return "stale", "", f"it is {looked.row.state} now, and not as it was planned: plan anew"
        forge = self.manner.forge(self.view.repository)
        if looked.row.conflicts and (forge is None or self.manner.on_conflict != "draft"):
            return self._told_of_conflicts(looked, forge)
        result, url, note = self._on_branch(looked, forge)
        if forge and not looked.row.conflicts:
            self._close_issue(looked, forge, url)
        return result, url, note

    def _on_branch(self, looked: Looked, forge: Forge | None) -> tuple[Result, str, str]:
        name = branch.name_of(looked.row.image, looked.row.answers_file)
        slug = self.view.repository.slug
        before = self.view.ours(name)
        held = branch.change_of(before) if before else None
        proposal = forge.proposal(slug, name) if forge else None
        if before and held is None:
            note = f"a person has a hand in the branch {name}: merge, close or delete it"
            return "pr-diverged", proposal.url if proposal else "", note
        if proposal and self._declined(proposal, looked):
            return "skipped", proposal.url, "a person closed the pull request; --reopen opens another"
        verified = ""
        moved = held != looked.digest
        if moved:
            message = texts.commit_message(looked)
            commit = branch.make(
                self.view,
                self._files(looked),
                digest=looked.digest,
                message=message,
                author=self.manner.author,
                ref=name,
            )
            if self.manner.verify:
                with self.view.checked_out(commit, self.tools.scratch) as folder:
                    verified = self.manner.verify(folder, looked.row.answers_file)
            branch.move(self.view, name, commit, before=before)
        if forge is None:
            return "branch" if moved else "unchanged", "", name
        return self._proposed(looked, forge, name, proposal, moved=moved, verified=verified)

    def _proposed(
        self, looked: Looked, forge: Forge, name: str, proposal: Proposal | None, *, moved: bool, verified: str
    ) -> tuple[Result, str, str]:
        slug, base = self.view.repository.slug, self.view.branch
        title = texts.title(looked)
        is_open = proposal is not None and proposal.state == "open"
        if proposal and is_open and not moved:
            # What was verified when it was opened stays said.
            verified = texts.verified(proposal.body)
        body = texts.body(looked, verified)
        if proposal is None or not is_open:
            draft = self.manner.draft or bool(looked.row.conflicts)
            made = forge.propose(slug, branch=name, base=base, title=title, body=body, draft=draft)
            return "proposed", made.url, ""
        if texts.same(proposal.title, title) and texts.same(proposal.body, body):
            return "updated" if moved else "unchanged", proposal.url, ""
        made = forge.amend(slug, proposal.number, title=title, body=body)
        return "updated", made.url, ""

    def _files(self, looked: Looked) -> Mapping[str, File | None]:
        files = dict(looked.changes)
        for step in looked.upgrade.steps if looked.upgrade else ():
            if step.rejected:
                files[f"{step.path}.rej"] = File(content=step.rejected.encode(errors="surrogateescape"))
        return files

    def _declined(self, proposal: Proposal, looked: Looked) -> bool:
        """Tell whether a person closed a pull request for this very version without merging it."""
        return (
            proposal.state == "closed" and not self.manner.reopen and texts.target(proposal.body) == looked.row.target
        )

    def _told_of_conflicts(self, looked: Looked, forge: Forge | None) -> tuple[Result, str, str]:
        note = f"conflicts in {', '.join(looked.row.conflicts)}: dockertpl update --to {looked.row.target}"
        if forge is None or self.manner.on_conflict == "skip":
            return "conflicted", "", note
        title, body = texts.issue(looked)
        slug = self.view.repository.slug
        issue = forge.report(slug, texts.issue_marker(looked.row.answers_file), title=title, body=body)
        return "reported", issue.url, note

    def _close_issue(self, looked: Looked, forge: Forge, url: str) -> None:
        slug = self.view.repository.slug
        issue = forge.issue(slug, texts.issue_marker(looked.row.answers_file))
        if issue:
            forge.close(slug, issue.number, f"The update to {looked.row.target} has no conflicts now: {url}")


def _outcome(item: Item, result: Result, *, url: str = "", note: str = "", seconds: float) -> Outcome:
    row = item.row
    return Outcome(
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


def _said(error: DockertplError | OSError) -> str:
    if isinstance(error, DockertplError):
        return " ".join(filter(None, (error.message, error.remedy)))
    return f"{error.filename or 'the machine'}: {error.strerror or error}"
