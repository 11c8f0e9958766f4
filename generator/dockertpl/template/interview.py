"""What a person is asked, and what becomes of it as they answer: the wizard without its screen.

A person may answer in any order and change their mind: after each answer every question is looked at again, from the
first to the last, with what was said in its place among the other layers of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dockertpl.template.answers import Answers, Layers, Prompt, Resolution, go_through
from dockertpl.template.environment import Template
from dockertpl.template.questions import load


class Interview:
    """The questions of a template, put to one person."""

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
        """Look at every question, with nothing said yet.

        Args:
            template: The template.
            folder_name: The name of the folder that is rendered into.
            data: Answers of the command line; text is read as the question's type.
            data_file: Answers of a data file.
            stored: Answers of an answers file.
            detected: What was found in the repository.

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
        # As it was said, since text that was read as YAML once is not to be read so again; and as what it was taken.
        self._raw: Mapping[str, Any] = {}
        self._taken: Mapping[str, Any] = {}
        self._outcome = self._go_through({})

    @property
    def prompts(self) -> Mapping[str, Prompt]:
        """Every question that applies now and was not given, by name and in order.

        A question that cannot be put before another is answered is not among them.
        """
        return MappingProxyType(dict(self._outcome.prompts))

    @property
    def said(self) -> Mapping[str, Any]:
        """What the person answered, as the questions' types; also what does not apply, or does not do, at present."""
        return MappingProxyType(dict(self._taken))

    @property
    def dropped(self) -> Mapping[str, str]:
        """What the person answered and what a later answer made wrong, with the reason; to be asked again."""
        return MappingProxyType(dict(self._outcome.dropped))

    @property
    def refused(self) -> Mapping[str, str]:
        """Given answers that cannot be used as things stand, with the reason; no prompt can mend the answer itself."""
        asked = self._outcome.prompts
        return MappingProxyType({name: why for name, why in self._outcome.problems if name not in asked})

    def say(self, name: str, raw: Any) -> None:
        """Take a person's answer.

        Args:
            name: The question's name, one of `prompts`.
            raw: The answer: what was typed, or a value.

        Raises:
            ValueError: It is refused, with what to tell the person; nothing has changed.
            KeyError: The question is not asked now.
            TemplateError: The template cannot be rendered with it; nothing has changed.
        """
        value = self._outcome.prompts[name].check(raw)
        said = {**self._raw, name: raw}
        self._outcome = self._go_through(said)
        self._raw, self._taken = said, {**self._taken, name: value}

    def answers(self) -> Answers:
        """Return the answers to all questions.

        Raises:
            BadAnswerError: Given answers or defaults are refused, a question has no answer, or one that the person gave
                was dropped: all in one error.
        """
        return self._outcome.answers()

    def _go_through(self, said: Mapping[str, Any]) -> Resolution:
        layers = Layers(**self._layers, asked=said)
        return go_through(
            self._template, self._questions, folder_name=self._folder_name, layers=layers, with_prompts=True
        )
