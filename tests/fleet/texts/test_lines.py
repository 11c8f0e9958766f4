from __future__ import annotations

import pytest
from tests.fleet.texts.updates import LINES, steps, text

from dockertpl.fleet.texts.lines import conflicting
from dockertpl.merge import update
from dockertpl.merge.update import ConflictMode, Step
from dockertpl.template.tree import File

MODES: list[ConflictMode] = ["markers", "rej", "stop"]


def _step(old: File, new: File, mine: File, conflict: ConflictMode) -> Step:
    return update.plan({"a": old}, {"a": new}, {"a": mine}, conflict=conflict)[0]


def _of(step: Step) -> list[str]:
    return [str(lines) for lines in conflicting(step)]


@pytest.mark.parametrize("conflict", MODES)
def test_lines_are_those_of_the_repository_s_file_as_it_is(conflict: ConflictMode) -> None:
    step = next(step for step in steps(conflict) if step.path == "Dockerfile")
    assert step.old is not None
    assert step.old.content.splitlines()[6:8] == [b"mine", b"and more"]
    assert _of(step) == ["7-8"]


@pytest.mark.parametrize("conflict", MODES)
def test_every_place_is_named_in_order_and_what_the_template_adds_above_is_not_counted(conflict: ConflictMode) -> None:
    new = File(content=b"new\n" * 5 + text((9, "theirs\n"), (18, "theirs\n")).content)
    step = _step(text(), new, text((9, "mine\n"), (18, "mine\n")), conflict)
    assert step.is_conflict
    assert _of(step) == ["10", "19"]


@pytest.mark.parametrize("conflict", MODES)
def test_lines_that_the_repository_took_out_are_where_they_were(conflict: ConflictMode) -> None:
    mine = File(content="".join(LINES[:9] + LINES[10:]).encode())
    step = _step(text(), text((9, "theirs\n")), mine, conflict)
    assert step.is_conflict
    (found,) = conflicting(step)
    assert 9 <= found.first <= found.last <= 10


@pytest.mark.parametrize("conflict", MODES)
def test_the_ends_of_lines_make_no_difference(conflict: ConflictMode) -> None:
    mine = File(content=text((9, "mine\n")).content.replace(b"\n", b"\r\n"))
    assert _of(_step(text(), text((9, "theirs\n")), mine, conflict)) == ["10"]


@pytest.mark.parametrize("conflict", MODES)
def test_no_line_of_a_binary_file_is_named(conflict: ConflictMode) -> None:
    step = _step(File(content=b"\0a"), File(content=b"\0b"), File(content=b"\0c"), conflict)
    assert step.is_conflict
    assert _of(step) == []
