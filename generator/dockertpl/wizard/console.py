"""The terminal that the wizard needs. `plain` and `keys` implement it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

from dockertpl.wizard.lines import Line


class Back(Enum):
    """The type of `BACK`."""

    BACK = "back"


#: The answer of a user who wants the previous screen.
BACK: Final = Back.BACK


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of a choice.

    Attributes:
        value: Its value.
        label: The text to show.
        disabled: Why it cannot be chosen now, or an empty text.
    """

    value: Any
    label: str
    disabled: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text to type.

    Attributes:
        name: Its name, in a word.
        default: The text that Enter returns, or None.
        check: Returns the value of a typed text, or raises ValueError.
        secret: Whether to hide the input.
        quoted: Whether "" means an empty text, because Enter means something else.
    """

    name: str
    default: str | None
    check: Callable[[str], Any]
    secret: bool = False
    quoted: bool = False


#: A value, or `BACK`.
Chosen: TypeAlias = Any


class Console(Protocol):
    """A terminal with a user.

    Methods that ask raise KeyboardInterrupt on Ctrl-C and click.Abort at the end of the input.
    """

    def say(self, lines: Iterable[Line]) -> None:
        """Show lines."""

    def choose(self, message: str, options: Sequence[Option], default: Any, *, back: bool) -> Chosen:
        """Ask for one of several options. Return its value, or `BACK` if that is offered."""

    def type(self, text: Text, *, back: bool) -> Chosen:
        """Ask for a text. Return the result of `check`, or `BACK` if that is offered."""

    def page(self, lines: Sequence[Line]) -> None:
        """Show lines that may not fit on a screen."""
