"""What the wizard wants of a terminal; `plain` and `keys` are two ways to give it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

from dockertpl.wizard.lines import Line


class Back(Enum):
    """The type of `BACK`."""

    BACK = "back"


#: What a person answers who wants to see the screen before.
BACK: Final = Back.BACK


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing to choose.

    Attributes:
        value: What choosing it means.
        label: What a person reads.
        disabled: Why it cannot be chosen now; empty if it can.
    """

    value: Any
    label: str
    disabled: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """Something to type.

    Attributes:
        name: What is typed, in a word.
        default: What Enter alone means, as it would be typed; None where it has no meaning.
        check: Returns what the typed text means, or raises ValueError with what is wrong with it.
        secret: Whether it is not to be read over a shoulder.
        quoted: Whether "" is a way to type nothing at all, where Enter alone means something else.
    """

    name: str
    default: str | None
    check: Callable[[str], Any]
    secret: bool = False
    quoted: bool = False


#: A value, or `BACK`.
Chosen: TypeAlias = Any


class Console(Protocol):
    """A terminal with a person in front of it.

    Each method that asks raises KeyboardInterrupt for Ctrl-C and click.Abort where there is no more input.
    """

    def say(self, lines: Iterable[Line]) -> None:
        """Show lines."""

    def choose(self, message: str, options: Sequence[Option], default: Any, *, back: bool) -> Chosen:
        """Have one of several chosen; returns its value, or `BACK` where that is offered."""

    def type(self, text: Text, *, back: bool) -> Chosen:
        """Have something typed; returns what `check` makes of it, or `BACK` where that is offered."""

    def page(self, lines: Sequence[Line]) -> None:
        """Show lines that may be more than a screen holds."""
