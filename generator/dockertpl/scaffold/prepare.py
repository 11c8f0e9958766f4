"""From answers to files: render them, and add what the actions change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dockertpl.actions import next_config
from dockertpl.actions import update_bot as bots
from dockertpl.actions.action_flags import Actions
from dockertpl.actions.proposal import Proposal
from dockertpl.actions.update_bot import BotProposal
from dockertpl.adopt.adoption import AdoptedDockerfile, backups, find
from dockertpl.errors import BadInputError
from dockertpl.kinds import NEXTJS_STANDALONE, SERVICE_KINDS
from dockertpl.merge import plan
from dockertpl.template import answers_files
from dockertpl.template.answers import Answers
from dockertpl.template.environment import Template
from dockertpl.template.render import answers_path, render


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    """Everything that `new` would write.

    Attributes:
        answers: The answers, with those that an action adds.
        answers_file: The path of the answers file.
        planned: The rendered files, compared with existing ones.
        actions: The actions to do.
        patch: The change to next.config. None for another kind.
        bot: The change to the bot's configuration, or None.
        adopted: The conversion of an existing Dockerfile, or None.
        copies: Copies of replaced files that no commit has.
    """

    answers: Answers
    answers_file: str
    planned: plan.Plan
    actions: Actions
    patch: Proposal | None
    bot: BotProposal | None
    adopted: AdoptedDockerfile | None = None
    copies: tuple[plan.PlannedFile, ...] = ()

    @property
    def replaced(self) -> frozenset[str]:
        """The paths of existing files that are replaced."""
        if self.actions.replace:
            return frozenset(entry.path for entry in self.planned.having("differs"))
        return self.adopted.old.paths if self.adopted else frozenset()

    @property
    def in_the_way(self) -> list[plan.PlannedFile]:
        """Existing files that differ and are not replaced."""
        return [entry for entry in self.planned.having("differs") if entry.path not in self.replaced]

    @property
    def extra(self) -> tuple[plan.PlannedFile, ...]:
        """Files that the actions change. The template itself never changes existing files."""
        chosen = (
            self.patch if self.actions.patch_next_config else None,
            self.bot if self.actions.tell_bot else None,
        )
        return tuple(
            plan.PlannedFile(path=one.path, new=one.new, old=one.old)
            for one in chosen
            if one and one.new and one.is_change
        )

    @property
    def entries(self) -> tuple[plan.PlannedFile, ...]:
        """All files to write, and those that are in conflict, in the order of the review."""
        return (*self.planned.entries, *self.copies, *self.extra)

    @property
    def to_write(self) -> tuple[plan.PlannedFile, ...]:
        """The files to write, without those in conflict."""
        in_the_way = self.in_the_way
        wanted = [one for one in self.planned.entries if one.status != "identical" and one not in in_the_way]
        return (*wanted, *self.copies, *self.extra)

    def text(self, path: str) -> str:
        """Return the new text of one of the template's files."""
        return next(entry.new for entry in self.planned.entries if entry.path == path).content.decode()

    @property
    def shown(self) -> plan.Plan:
        """All entries as one plan, for a diff."""
        return replace(self.planned, entries=self.entries)

    def done(self, written: Sequence[plan.PlannedFile] = ()) -> list[Mapping[str, Any]]:
        """Return the actions for `--json`, and whether each is done, now or before.

        Args:
            written: The files that were written now.
        """
        paths = {entry.path for entry in written} & {entry.path for entry in self.extra}
        return [
            {"name": name, "path": one.path, "done": one.is_there or one.path in paths, "summary": one.summary}
            for name, one in ((bots.NAME, self.bot), (next_config.NAME, self.patch))
            if one
        ]


def prepare(template: Template, root: Path, answers: Answers, actions: Actions) -> Scaffold:
    """Render answers and compare the files with the repository.

    Args:
        root: The repository's root. It may not exist yet.
        answers: Valid answers.
        actions: The actions to do.

    Raises:
        BadInputError: Another image owns the paths, a path cannot be written, or an action is for another kind.
    """
    kind = answers.values["kind"]
    patch = next_config.propose(root, str(answers.values["app_dir"])) if kind == NEXTJS_STANDALONE else None
    if actions.patch_next_config:
        if patch is None:
            raise BadInputError(
                f"--patch-next-config only works with {NEXTJS_STANDALONE}, and this is {kind}.", "Leave it out."
            )
        if patch.new is None:
            raise next_config.refusal(patch)
        answers = replace(
            answers,
            values={**answers.values, "standalone": True},
            origin={**answers.origin, "standalone": "detected"},
        )
    answers_file = answers_path(template, answers)
    app_dir = str(answers.values["app_dir"])
    answers_files.check_new(root, answers_file=answers_file, name=str(answers.values["name"]), app_dir=app_dir)
    tree = render(template, answers)
    taken = _adopt(root, answers, actions) if actions.adopt and not actions.replace and kind in SERVICE_KINDS else None
    if taken:
        tree = taken.old.fill(tree, taken.adoption)
    planned = plan.make(root, tree)
    scaffold = Scaffold(
        answers=answers,
        answers_file=answers_file,
        planned=planned,
        actions=actions,
        adopted=taken,
        patch=patch,
        bot=bots.propose(root, app_dir, actions.bot),
    )
    there = {entry.path: entry.old for entry in planned.having("differs") if entry.old}
    replaced = {path: file for path, file in there.items() if path in scaffold.replaced}
    if not replaced:
        return scaffold
    copies = tuple(backups(root, replaced))
    return replace(scaffold, copies=copies, adopted=replace(taken, copies=copies) if taken else None)


def _adopt(root: Path, answers: Answers, actions: Actions) -> AdoptedDockerfile | None:
    """Read the old files again, because they may have changed since the first question."""
    values = answers.values
    kind = str(values["kind"])
    old = find(
        root, str(values["app_dir"]), str(values["context"]), kind=kind, answers=values, chosen=actions.adopt_file
    )
    settled = [key for key, origin in answers.origin.items() if origin != "default"]
    return AdoptedDockerfile(old=old, adoption=old.read(kind, values, settled), answers=values) if old else None
