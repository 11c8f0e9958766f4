"""A run of `new` up to the last confirmation: the answers, the detection, and the files to write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from dockertpl.actions.action_flags import Actions
from dockertpl.adopt.adoption import Old, find
from dockertpl.errors import BadAnswerError, DockertplError
from dockertpl.kinds import SERVICE_KINDS
from dockertpl.scaffold.detected import Detected, look
from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview

if TYPE_CHECKING:
    from dockertpl.adopt import Adoption
    from dockertpl.scaffold.prepare import Scaffold

# The answers that select the application.
_WHICH = ("kind", "app_dir")


class Session:
    """A dialog about one repository.

    Attributes:
        template: The template.
        root: The repository's root. It may not exist yet.
        given: Answers of the command line.
        in_file: Answers of the data file.
        detecting: Whether to read the repository.
        found: What was detected.
        interview: The questions, with the answers so far.
        actions: The changes besides the template's files.
        old: The existing Dockerfile to convert.
        not_adopted: Why it cannot be converted, or None.
    """

    def __init__(
        self,
        template: Template,
        root: Path,
        *,
        given: Mapping[str, Any],
        in_file: Mapping[str, Any],
        detecting: bool,
        actions: Actions,
        go_on: bool = True,
    ) -> None:
        """Read the repository.

        Args:
            root: The repository's root. It may not exist yet.
            given: Answers of the command line.
            in_file: Answers of the data file.
            detecting: Whether to read the repository.
            actions: The changes besides the template's files.
            go_on: Whether the user can be asked if no application is found.

        Raises:
            NotDetectedError: No application is found, and the user cannot be asked.
            BadInputError: A given answer or a manifest is not valid.
        """
        self.template = template
        self.root = root
        self.given = given
        self.in_file = in_file
        self.detecting = detecting
        self.actions = actions
        self._go_on = go_on
        self.old: Old | None = None
        self.not_adopted: DockertplError | None = None
        self._looked_for: dict[str, Any] = {}
        self.found = self._look()
        self.interview = self._interview({})
        if self.interview.refused:
            self.interview.answers()

    @property
    def pending(self) -> list[str]:
        """Questions that need the user: nothing was detected, or the answer is no longer valid."""
        interview = self.interview
        wanted = {*interview.dropped, *(name for name in self.found.unknown if name not in interview.said)}
        try:
            interview.answers()
        except BadAnswerError as error:
            wanted |= {one["key"] for one in error.data["answers"]}
        return [name for name in interview.prompts if name in wanted]

    @property
    def kind(self) -> str:
        """The kind of image, or an empty text while it is unknown."""
        prompt = self.interview.prompts.get("kind")
        return str(prompt.default if prompt else {**self.in_file, **self.given}.get("kind", ""))

    def say(self, name: str, raw: Any) -> None:
        """Take an answer. Read the repository again if the answer selects another application.

        Args:
            name: The question's name.
            raw: A typed text, or a value.

        Raises:
            ValueError: The answer is refused, with a message for the user. Nothing has changed.
            BadInputError: The application cannot be used. Nothing has changed.
        """
        before = self.interview.prompts[name].default
        self.interview.say(name, raw)
        value = self.interview.said[name]
        if name not in _WHICH or value == before:
            return
        looked_for = self._looked_for
        try:
            self._looked_for = {**looked_for, name: value}
            self.found = self._look()
        except BaseException:
            self._looked_for = looked_for
            self.interview.say(name, before)
            raise
        self._again()

    def choose(self, which: Mapping[str, Any]) -> None:
        """Choose one of the applications, locks or scripts that an error offered.

        Args:
            which: The answers that select it.

        Raises:
            BadInputError: It cannot be used. Nothing has changed.
        """
        given = self.given
        try:
            self.given = {**given, **which}
            self.found = self._look()
        except BaseException:
            self.given = given
            raise
        self._again()

    def adopt(self, path: str) -> None:
        """Choose one of several Dockerfiles to convert."""
        self.actions = replace(self.actions, adopt=True, adopt_file=path)
        self.found = self._look()
        self._again()

    def replace_files(self, replaces: bool) -> None:
        """Replace existing files without conversion, or go back to converting them."""
        self.actions = replace(self.actions, replace=replaces, adopt=not replaces)
        self.found = self._look()
        self._again()

    def go_on_without(self) -> None:
        """Leave the repository unread, as plain Copier does."""
        self.detecting = False
        self.found = Detected()
        self._again()

    def prepare(self) -> Scaffold:
        """Return everything to write.

        Raises:
            BadInputError: An answer is not valid, or the files cannot be written.
        """
        # Imported late, because the first question should not wait for it.
        from dockertpl.scaffold.prepare import prepare

        actions = self.actions
        if self.not_adopted:
            actions = replace(actions, adopt=False)
        return prepare(self.template, self.root, self.interview.answers(), actions)

    def _look(self) -> Detected:
        if not self.detecting:
            return Detected()
        given = {**self._looked_for, **self.given}
        return look(self.template, self.root, given=given, in_file=self.in_file, go_on=self._go_on)

    def _interview(self, said: Mapping[str, Any]) -> Interview:
        first = self._questions(said)
        if not self.actions.adopt:
            return first
        adoption = self._adoption(first)
        if adoption is None:
            return first
        found = self.found
        self.found = replace(
            found,
            answers={**found.answers, **adoption.answers},
            evidence={**found.evidence, **adoption.evidence},
            unknown={key: text for key, text in found.unknown.items() if key not in adoption.answers},
            warnings=[text for text in found.warnings if not (self.old and _is_settled(text, self.old, adoption))],
        )
        return self._questions(said)

    def _questions(self, said: Mapping[str, Any]) -> Interview:
        interview = Interview(
            self.template,
            folder_name=self.root.name,
            data=self.given,
            data_file=self.in_file,
            detected=self.found.answers,
        )
        for name, value in said.items():
            # If another kind lacks this choice, its default applies. The review shows it.
            with suppress(ValueError, KeyError):
                interview.say(name, value)
        return interview

    def _adoption(self, interview: Interview) -> Adoption | None:
        """Return the conversion of the old Dockerfile, or None."""
        known = {**self.in_file, **self.given}
        settled = {*known, *(name for name, prompt in interview.prompts.items() if prompt.origin != "default")}
        known |= {name: prompt.default for name, prompt in interview.prompts.items()}
        self.old, self.not_adopted = None, None
        if known["kind"] not in SERVICE_KINDS:
            return None
        try:
            self.old = find(
                self.root,
                str(known["app_dir"]),
                str(known["context"]),
                kind=str(known["kind"]),
                answers=known,
                chosen=self.actions.adopt_file,
            )
            return self.old.read(str(known["kind"]), known, settled) if self.old else None
        except DockertplError as error:
            self.old, self.not_adopted = None, error
            return None

    def _again(self) -> None:
        """Ask the questions again, with the answers so far."""
        self.interview = self._interview(self.interview.said)


def _is_settled(warning: str, old: Old, adoption: Adoption) -> bool:
    """Return whether a warning is about a step of the old Dockerfile that the new one keeps."""
    if served := re.match(r"\S+?:\d+ serves (\S+), but ", warning):
        copied = re.findall(r"^COPY --from=.*?(\S+?)/?$", adoption.regions.get("image", ""), re.MULTILINE)
        return any(PurePosixPath(target).name == PurePosixPath(served[1]).name for target in copied)
    match = re.match(r"(\S+?):\d+ (?:installs|runs) ", warning)
    if not match or not old.dockerfile:
        return False
    script = PurePosixPath(match[1]).name
    kept = (item.what for item in adoption.items if item.outcome == "kept")
    return match[1] == old.dockerfile or any(script in what.replace("/", " ").split() for what in kept)
