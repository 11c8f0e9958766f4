"""A RUN step's commands: where one ends and the next begins."""

from __future__ import annotations

import pytest

from dockertpl.adopt.shell import commands


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a && b; c", ["a", "b", "c"]),
        ("a || true && b", ["a || true", "b"]),
        ("a | b && c", ["a | b", "c"]),
        ("echo 'x && y' && z", ["echo 'x && y'", "z"]),
        ('echo "a; b"; c', ['echo "a; b"', "c"]),
        ("a $(b && c) && d", ["a $(b && c)", "d"]),
        ("a $(b (c))&& d", ["a $(b (c))", "d"]),
        ("a ${X}; b", ["a ${X}", "b"]),
        ("a `b && c` && d", ["a `b && c`", "d"]),
        ("a '' && b", ["a ''", "b"]),
        ('a "x"; b', ['a "x"', "b"]),
        ("(a && b) && c", ["(a && b)", "c"]),
        ("{ a; b; } && c", ["{ a; b; }", "c"]),
        ("if a; then b; else c; fi && d", ["if a; then b; else c; fi", "d"]),
        ("for x in 1 2; do a; b; done; c", ["for x in 1 2; do a; b; done", "c"]),
        ("while read x; do a; done && b", ["while read x; do a; done", "b"]),
        ("case $x in a) b;; *) c;; esac && d", ["case $x in a) b;; *) c;; esac", "d"]),
        ("a # said\nb", ["a", "b"]),
        ("echo if; b", ["echo if", "b"]),
        ("a \\\n  && b", ["a", "b"]),
        ("", []),
    ],
)
def test_commands_end_where_the_shell_ends_them(text: str, expected: list[str]) -> None:
    assert [command.text for command in commands(text)] == expected


def test_words_have_no_quotes_and_no_variables_ahead() -> None:
    (command,) = commands("A=1 B='2 3' pip install \"x>=1\" y\\ z")
    assert command.words == ("pip", "install", "x>=1", "y z")
    assert command.assignments == ("A=1", "B=2 3")


def test_a_substitution_is_a_word_as_it_stands() -> None:
    assert commands("a `b && c`d $(e f)g ${X:-'}'}h ''")[0].words == ("a", "`b && c`d", "$(e f)g", "${X:-'}'}h", "")


def test_one_command_is_told_from_several() -> None:
    assert [command.is_one for command in commands("a; a || true; a | b; (a); if a; then b; fi; a & b")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_a_redirection_is_a_word_of_its_own_kind() -> None:
    assert commands("a >/dev/null 2>&1")[0].words == ("a", ">/dev/null", "2>&1")


@pytest.mark.parametrize("text", ["a '", 'a "', "a $(", "a ${", "fi", "done", ")", "}", "\\", "&&", "a &&", "\x0b\x85"])
def test_what_no_shell_would_take_is_read_to_its_end(text: str) -> None:
    commands(text)
