"""The dialog with the user, without a screen.

Users may answer in any order and change their mind. After each answer, every question is resolved again, from the first
to the last, with the user's answers among the other sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dockertpl.template.answers import Answers, Layers, Prompt, Resolution, go_through
from dockertpl.template.environment import Template
from dockertpl.template.questions import load


class Interview:
    """A dialog about the questions of a template."""

    def __init__(
        self,
        template: Template,
        *,
        folder_name: str,
        data: Mapping[str, Any] | None = None,
        data_file: Mapping[str, Any] | None = None,
        stored: Mapping[str, Any] | None = None,
        detected: Mapping[str, Any] | None = None,
    ) -> None:
        """Go through the questions, without any answer of the user.

        Args:
            folder_name: The name of the destination folder.
            data: Answers of the command line. Text is converted to the question's type.
            data_file: Answers of a data file.
            stored: Answers of an answers file.
            detected: Answers that were detected in the repository.

        Raises:
            TemplateError: The template cannot be rendered.
        """
        self._template = template
        self._questions = load(template)
        self._folder_name = folder_name
        self._layers: dict[str, Mapping[str, Any]] = {
            "data": data or {},
            "data_file": data_file or {},
            "stored": stored or {},
            "detected": detected or {},
        }
        # The raw answers, because text must not be parsed as YAML twice, and the parsed ones.
        self._raw: Mapping[str, Any] = {}
        self._taken: Mapping[str, Any] = {}
        self._outcome = self._go_through({})

    @property
    def prompts(self) -> Mapping[str, Prompt]:
        """The questions that apply now and were not given, by name and in order.

        It lacks questions that depend on another answer that is still missing.
        """
        return MappingProxyType(dict(self._outcome.prompts))

    @property
    def said(self) -> Mapping[str, Any]:
        """The user's answers, as the questions' types. Includes those that do not apply or are not valid now."""
        return MappingProxyType(dict(self._taken))

    @property
    def dropped(self) -> Mapping[str, str]:
        """The user's answers that a later answer made invalid, with the reason. Ask these again."""
        return MappingProxyType(dict(self._outcome.dropped))

    @property
    def refused(self) -> Mapping[str, str]:
        """Given answers that are not valid, with the reason. The user cannot change them in the dialog."""
        asked = self._outcome.prompts
        return MappingProxyType({name: why for name, why in self._outcome.problems if name not in asked})

    def say(self, name: str, raw: Any) -> None:
        """Take an answer.

        Args:
            name: The question's name, one of `prompts`.
            raw: A typed text, or a value.

        Raises:
            ValueError: The answer is refused, with a message for the user. Nothing has changed.
            KeyError: The question is not asked now.
            TemplateError: The template cannot be rendered with the answer. Nothing has changed.
        """
        value = self._outcome.prompts[name].check(raw)
        said = {**self._raw, name: raw}
        self._outcome = self._go_through(said)
        self._raw, self._taken = said, {**self._taken, name: value}

    def answers(self) -> Answers:
        """Return the answers to all questions.

        Raises:
            BadAnswerError: Given answers or defaults are not valid, a question has no answer, or a user's answer was
                dropped. One error has them all.
        """
        return self._outcome.answers()

    def _go_through(self, said: Mapping[str, Any]) -> Resolution:
        layers = Layers(**self._layers, asked=said)
        return go_through(
            self._template, self._questions, folder_name=self._folder_name, layers=layers, with_prompts=True
        )
