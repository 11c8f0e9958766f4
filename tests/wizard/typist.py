"""A console with a scripted user, who presses Enter unless a test gives an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dockertpl.wizard.console import Option, Text
from dockertpl.wizard.lines import Line


class Typist:
    """Answer questions as a user.

    Attributes:
        asked: The messages of the questions, in order.
        seen: All output, as text.
        offered: The labels that were last offered, by message.
    """

    def __init__(self, answers: dict[str, Sequence[Any]] | None = None) -> None:
        """Set the answers by message. A list gives one answer each time, and an exception is raised.

        A part of a label selects a choice.
        """
        self._answers = {message: list(given) for message, given in (answers or {}).items()}
        self.asked: list[str] = []
        self.seen = ""
        self.offered: dict[str, list[str]] = {}

    def say(self, lines: Iterable[Line]) -> None:
        self.seen += "".join(f"{line.text}\n" for line in lines)

    def page(self, lines: Sequence[Line]) -> None:
        self.say(lines)

    def choose(self, message: str, options: Sequence[Option], default: Any, *, back: bool) -> Any:
        self.offered[message] = [f"{one.label} ({one.disabled})" if one.disabled else one.label for one in options]
        answer = self._answer(message)
        if not isinstance(answer, str):
            return default if answer is None else answer
        found = [option for option in options if answer in option.label]
        assert found, f"{message} does not offer {answer!r}: {self.offered[message]}"
        assert not found[0].disabled
        return found[0].value

    def type(self, text: Text, *, back: bool) -> Any:
        while True:
            answer = self._answer(text.name)
            if answer is not None and not isinstance(answer, str):
                return answer
            typed = text.default if answer is None else answer
            assert typed is not None, f"{text.name} has no default"
            try:
                return text.check(typed)
            except ValueError as error:
                assert answer is not None, f"Enter does not do for {text.name}: {error}"
                self.seen += f"! {error}\n"

    def _answer(self, message: str) -> Any:
        self.asked.append(message)
        given = self._answers.get(message)
        answer = given.pop(0) if given else None
        if isinstance(answer, BaseException) or (isinstance(answer, type) and issubclass(answer, BaseException)):
            raise answer
        return answer
