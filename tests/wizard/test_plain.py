from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner

from dockertpl.wizard.console import BACK, Option, Text
from dockertpl.wizard.lines import Line
from dockertpl.wizard.plain import PlainConsole

OPTIONS = [
    Option(value="uv", label="uv: the first"),
    Option(value="pip", label="pip: the second"),
    Option(value="2", label="2: named like a number"),
    Option(value="no", label="no", disabled="not today"),
]


def _talk(typed: str, ask: Callable[[PlainConsole], Any]) -> tuple[Any, str]:
    """Return the answers of a user who types those lines, and the output."""
    found = []

    @click.command()
    def command() -> None:
        found.append(ask(PlainConsole()))

    result = CliRunner().invoke(command, input=typed, catch_exceptions=False, standalone_mode=False)
    assert result.stdout == ""
    return (found[0] if found else result.exception), result.stderr


def _choose(typed: str, *, back: bool = True) -> tuple[Any, str]:
    return _talk(typed, lambda console: console.choose("Which", OPTIONS, "uv", back=back))


@pytest.mark.parametrize(
    ("typed", "value"), [("\n", "uv"), ("1\n", "uv"), ("pip\n", "pip"), ("2\n", "2"), ("3\n", "2")]
)
def test_a_choice_is_its_number_or_its_name_and_a_name_comes_first(typed: str, value: str) -> None:
    assert _choose(typed)[0] == value


@pytest.mark.parametrize(("typed", "value"), [("look", 2), ("Write it", 1), ("w\nwrite i\n", 1)])
def test_the_beginning_of_a_label_is_a_name_where_one_label_has_it(typed: str, value: int) -> None:
    options = [Option(value=1, label="write it"), Option(value=2, label="look first"), Option(value=3, label="wait")]
    assert _talk(f"{typed}\n", lambda console: console.choose("Now", options, 2, back=False))[0] == value


def test_an_invalid_choice_is_asked_again_with_the_reason() -> None:
    value, seen = _choose("poetry\n4\n1\n")
    assert value == "uv"
    assert "  ! poetry is not in the list: type a number from 1 to 4, or a name.\n" in seen
    assert "  ! not today\n" in seen
    assert "  4) no (not now: not today)\n" in seen


def test_the_back_key_works_only_where_it_was_offered() -> None:
    value, seen = _choose("<\n")
    assert value is BACK
    assert 'Which ("<" goes back) [1]: ' in seen
    value, seen = _choose("<\n1\n", back=False)
    assert (value, "goes back" in seen) == ("uv", False)


def test_what_is_typed_is_checked_and_two_quotes_are_nothing() -> None:
    def check(typed: str) -> str:
        if typed == "bad":
            raise ValueError("bad is bad")
        return f"<{typed}>"

    text = Text(name="Path", default="/x", check=check, quoted=True)
    value, seen = _talk("bad\n\n", lambda console: console.type(text, back=True))
    assert value == "</x>"
    assert "  ! bad is bad\n" in seen
    assert _talk('""\n', lambda console: console.type(text, back=True))[0] == "<>"


def test_a_secret_is_not_shown() -> None:
    text = Text(name="Token", default="s3cret", check=str, secret=True)
    value, seen = _talk("\n", lambda console: console.type(text, back=False))
    assert value == "s3cret"
    assert "s3cret" not in seen


def test_the_end_of_input_is_a_no() -> None:
    with pytest.raises(click.Abort):
        _choose("")


def test_a_page_is_shown_at_once() -> None:
    assert _talk("", lambda console: console.page([Line("a"), Line("b")]))[1] == "a\nb\n"
