"""One run of `new`, up to the last yes: what was given, what was found, what was said, and what that would write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockertpl.scaffold.actions import Actions
from dockertpl.scaffold.look import Found, look
from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview

if TYPE_CHECKING:
    from dockertpl.scaffold.prepare import Scaffold

# What decides which application is looked at.
_WHICH = ("kind", "app_dir")


class Session:
    """What a person is asked about one repository.

    Attributes:
        template: The template.
        root: The repository's root, which may not exist yet.
        given: Answers of the command line.
        in_file: Answers of the data file.
        detecting: Whether the repository is looked at.
        found: What was found there.
        interview: The questions, with what was said so far.
        actions: What is to be done that no template can do.
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
    ) -> None:
        """Look at the repository.

        Raises:
            BadInputError: A given answer is bad, or a manifest is not valid.
        """
        self.template = template
        self.root = root
        self.given = given
        self.in_file = in_file
        self.detecting = detecting
        self.actions = actions
        self._looked_for: dict[str, Any] = {}
        self.found = self._look()
        self.interview = self._interview()

    @property
    def pending(self) -> list[str]:
        """Questions that only the person can answer: nothing was found for them, or what they said does not do."""
        prompts, said, dropped = self.interview.prompts, self.interview.said, self.interview.dropped
        unknown = [name for name in self.found.unknown if name not in said]
        return [name for name in prompts if name in dropped or name in unknown]

    @property
    def kind(self) -> str:
        """The kind of image, as far as it is known."""
        prompt = self.interview.prompts.get("kind")
        return str(prompt.default if prompt else {**self.in_file, **self.given}.get("kind", ""))

    def say(self, name: str, raw: Any) -> None:
        """Take an answer; the repository is looked at again where it chooses another application.

        Args:
            name: The question's name.
            raw: What was typed, or a value.

        Raises:
            ValueError: It is refused, with what to tell the person; nothing has changed.
            BadInputError: That application cannot be used; nothing has changed.
        """
        before = self.interview.answers().values.get(name) if name in _WHICH else None
        self.interview.say(name, raw)
        value = self.interview.said[name]
        if name not in _WHICH or not self.detecting or value == before:
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
        """Settle on one of the applications, locks or scripts that an error offered.

        Args:
            which: The answers that choose it.

        Raises:
            BadInputError: That one cannot be used; nothing has changed.
        """
        given = self.given
        try:
            self.given = {**given, **which}
            self.found = self._look()
        except BaseException:
            self.given = given
            raise
        self._again()

    def go_on_without(self) -> None:
        """Leave the repository unread, as plain Copier does."""
        self.detecting = False
        self.found = Found()
        self._again()

    def prepare(self) -> Scaffold:
        """Return all that would be written.

        Raises:
            BadInputError: An answer is bad, or the files cannot be written where they belong.
        """
        # The first question is on the screen before this is needed.
        from dockertpl.scaffold.prepare import prepare

        return prepare(self.template, self.root, self.interview.answers(), self.actions)

    def _look(self) -> Found:
        if not self.detecting:
            return Found()
        given = {**self._looked_for, **self.given}
        return look(self.template, self.root, given=given, in_file=self.in_file, go_on=True)

    def _interview(self) -> Interview:
        return Interview(
            self.template,
            folder_name=self.root.name,
            data=self.given,
            data_file=self.in_file,
            detected=self.found.answers,
        )

    def _again(self) -> None:
        """Put the questions anew, with what was said already."""
        before = self.interview
        self.interview = self._interview()
        for name, value in before.said.items():
            if name in self.interview.prompts:
                self.interview.say(name, value)
