from __future__ import annotations

import io

import click
import pytest
from tests.fleet.reports import things

from dockertpl.fleet.model import Row
from dockertpl.fleet.reports.columns import OUTCOMES, ROWS
from dockertpl.fleet.reports.table import colorful, table


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_one_line_a_thing_details_below_and_totals_at_the_end() -> None:
    lines = table(things.ROWS, ROWS, width=80, color=False).splitlines()
    assert lines[0].split() == ["STATE", "REPOSITORY", "IMAGE", "KIND", "VERSION", "TARGET"]
    assert lines[2].split() == ["conflicted", "org/torn", "app", "small", "v1.0.0", "v2.0.0"]
    assert lines[3:6] == [
        "    Note: Both sides changed it.",
        "    Conflicts: Dockerfile",
        "    Pull request: https://example.com/org/torn/pull/7",
    ]
    assert lines[-1] == "3 images: 1 conflicted, 1 unmanaged, 1 up-to-date"


def test_outcomes_are_shown_in_the_same_way() -> None:
    lines = table(things.OUTCOMES, OUTCOMES, width=80, color=False).splitlines()
    assert lines[0].split() == ["RESULT", "REPOSITORY", "IMAGE", "SECONDS"]
    assert "    Note: GitHub refuses." in lines
    assert lines[-1] == "2 images: 1 failed, 1 proposed"


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_it_is_no_wider_than_the_terminal(width: int) -> None:
    rows = [*things.many(60), Row(repository="日本語" * 40, state="error", notes=("日本語 " * 60, "x" * 300))]
    lines = table(rows, ROWS, width=width, color=False).splitlines()
    assert max(_places(line) for line in lines) <= width


def _places(line: str) -> int:
    return sum(2 if character in "日本語" else 1 for character in line)


def test_a_narrow_table_keeps_the_end_of_a_repository_s_name_and_the_state() -> None:
    rows = list(things.many(14))
    text = table(rows, ROWS, width=60, color=False)
    assert all(f"name-{number} " in text for number in range(14))
    assert all(f"{row.state} " in text for row in rows)
    assert "KIND" not in text
    assert "KIND" in table(rows, ROWS, width=200, color=False)


def test_colors_change_only_the_state() -> None:
    plain = table(things.ROWS, ROWS, width=80, color=False)
    colored = table(things.ROWS, ROWS, width=80, color=True)
    assert click.unstyle(colored) == plain
    assert click.style("conflicted", fg="red") in colored
    assert "\x1b" not in plain


def test_a_long_list_is_counted() -> None:
    row = Row(repository="a", state="dirty", uncommitted=tuple(f"{number}.txt" for number in range(1005)))
    assert "4.txt; 1,000 more" in table([row], ROWS, width=80, color=False)


def test_a_name_does_nothing_to_the_terminal() -> None:
    text = table([things.hostile_row()], ROWS, width=80, color=False)
    text.encode()
    assert text.replace("\n", "").isprintable()


def test_an_empty_table_has_only_the_total() -> None:
    assert table([], ROWS, width=80, color=False) == "0 images\n"


def test_only_a_terminal_gets_colors_unless_they_are_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert colorful(_Terminal())
    assert not colorful(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not colorful(_Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colorful(_Terminal())
