from __future__ import annotations

from dataclasses import fields

from tests.fleet.reports.things import ROWS as SOME

from dockertpl.fleet.model import NEEDS_PERSON, RESULTS, RESULTS_FOR_PERSON, STATES, ItemResult, Row
from dockertpl.fleet.reports.columns import OUTCOMES, ROWS, one_line


def test_each_field_has_one_column() -> None:
    assert sorted(column.key for column in ROWS.columns) == sorted(field.name for field in fields(Row))
    assert sorted(column.key for column in OUTCOMES.columns) == sorted(field.name for field in fields(ItemResult))


def test_the_state_is_the_first_column() -> None:
    assert ROWS.columns[0].key == ROWS.state
    assert OUTCOMES.columns[0].key == OUTCOMES.state


def test_each_state_has_a_level_and_those_that_need_you_are_not_good() -> None:
    assert set(ROWS.levels) == set(STATES)
    assert set(OUTCOMES.levels) == set(RESULTS)
    assert {state for state, level in ROWS.levels.items() if level in ("bad", "attention")} == NEEDS_PERSON
    assert {state for state, level in OUTCOMES.levels.items() if level in ("bad", "attention")} == RESULTS_FOR_PERSON


def test_totals_name_the_worst_first_and_leave_out_what_is_not_there() -> None:
    assert list(ROWS.totals(SOME).items()) == [("conflicted", 1), ("unmanaged", 1), ("up-to-date", 1)]


def test_one_line_is_one_line() -> None:
    assert one_line("a\n b\t\x1b[0m") == "a b \\x1b[0m"
