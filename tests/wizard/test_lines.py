from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockertpl.screen import WIDTH, printable
from dockertpl.wizard.lines import Line, colored, cut, read_out, rule, table, uncolored, wrapped, written

TEXT = st.text(st.characters(codec="ascii"), max_size=200)


@given(TEXT)
def test_a_heading_fits_and_is_one_line(text: str) -> None:
    line = rule(" ".join(text.split())).text
    assert len(line) <= WIDTH
    assert "\n" not in line


@pytest.mark.parametrize("text", ["a", "Which application?", "x" * 200])
def test_a_heading_fills_its_line(text: str) -> None:
    assert len(rule(text).text) == WIDTH - 1


@given(st.lists(st.tuples(st.text("abc ", max_size=22), TEXT, TEXT), max_size=5))
def test_no_row_of_a_table_is_wider_than_a_terminal_and_no_value_is_lost(rows: list[tuple[str, str, str]]) -> None:
    rows = [(label, " ".join(value.split()), " ".join(place.split())) for label, value, place in rows]
    shown = [line.text for line in table(rows)]
    assert all(len(line) < WIDTH for line in shown)
    everything = "".join("".join(line.split()) for line in shown)
    for _, value, _ in rows:
        assert all(word[:20] in everything for word in printable(value).split())


def test_a_place_that_does_not_fit_beside_its_value_goes_below_it() -> None:
    rows = [("Port", "8000", "app/main.py:3"), ("Python", "3.13", "pyproject.toml:4, " + "word " * 12)]
    assert [line.text for line in table(rows)] == [
        "  Port    8000  app/main.py:3",
        "  Python  3.13",
        "            pyproject.toml:4, word word word word word word word word word word",
        "            word word",
    ]


def test_what_a_repository_wrote_cannot_move_the_cursor() -> None:
    assert [line.text for line in wrapped("a\x1b[2Jb", "  ")] == ["  a\\x1b[2Jb"]
    assert "\x1b" not in rule("\x1b[2J").text
    assert "\x1b" not in uncolored(table([("\x1b", "\x1b", "\x1b")]))


def test_a_paragraph_goes_on_below_its_own_beginning() -> None:
    lines = wrapped(f"{'word ' * 20}\nnext", "  ! ")
    assert [line.text[:8] for line in lines] == ["  ! word", "    word", "    next"]


@pytest.mark.parametrize(
    ("value", "typed", "read"),
    [
        (True, "yes", "yes"),
        (["a", "b"], "[a, b]", "a, b"),
        ([], "[]", "none"),
        ("", "", "none"),
        ({"a": 1}, "{a: 1}", "{a: 1}"),
        (["é" * 90, "b"], f"[{'é' * 90}, b]", f"{'é' * 90}, b"),
        (8000, "8000", "8000"),
    ],
)
def test_values_are_written_as_they_are_typed_and_read_out_as_they_are_said(
    value: object, typed: str, read: str
) -> None:
    assert (written(value), read_out(value)) == (typed, read)


def test_colors_can_be_turned_off() -> None:
    lines = [Line("a", "added"), Line("b")]
    assert uncolored(lines) == "a\nb\n"
    assert "\x1b[32ma" in colored(lines)


def test_what_is_cut_says_so() -> None:
    assert (cut("abcdef", 6), cut("abcdefg", 6)) == ("abcdef", "abc...")
    assert (cut("one two three", 12), cut("one two three", 10)) == ("one two...", "one two...")
