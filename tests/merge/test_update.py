"""Each path of a template is compared with the repository, and gets one outcome."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dockertpl.merge import update
from dockertpl.merge.update import Obstacle, Step, plan
from dockertpl.template.tree import File

OLD = "".join(f"line {number}\n" for number in range(12))
NEW = OLD.replace("line 3\n", "line three\n")
REGION = "# >>> custom: image - lines\n{}# <<< custom: image\n"


def _file(text: str | bytes, executable: bool = False) -> File:
    return File(content=text if isinstance(text, bytes) else text.encode(), executable=executable)


def _step(
    old: str | None, new: str | None, mine: str | Obstacle | None, conflict: update.ConflictMode = "markers"
) -> Step:
    """Plan for one path."""
    before, after = ({} if text is None else {"a": _file(text)} for text in (old, new))
    there = {} if mine is None else {"a": mine if isinstance(mine, Obstacle) else _file(mine)}
    (step,) = plan(before, after, there, conflict=conflict)
    return step


def _text(step: Step) -> str:
    assert step.new is not None
    return step.new.content.decode()


# --- one path --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "mine", "outcome", "after"),
    [
        (OLD, OLD, "mine", "unchanged", "mine"),
        (OLD, NEW, OLD, "updated", NEW),
        (OLD, NEW, NEW, "unchanged", NEW),
        (OLD, NEW, OLD + "mine\n", "merged", NEW + "mine\n"),
        (OLD, NEW, None, "deleted", None),
        (OLD, None, OLD, "removed", None),
        (OLD, None, None, "unchanged", None),
        (OLD, None, "mine", "kept", "mine"),
        (None, NEW, None, "created", NEW),
        (None, NEW, NEW, "unchanged", NEW),
    ],
)
def test_what_becomes_of_a_file(old: str | None, new: str | None, mine: str | None, outcome: str, after: str) -> None:
    step = _step(old, new, mine)
    assert (step.outcome, step.new) == (outcome, None if after is None else _file(after))
    assert step.person_needed == (outcome == "kept")


def test_lines_that_both_changed_are_in_the_file_with_markers() -> None:
    step = _step(OLD, NEW, OLD.replace("line 3\n", "mine\n"))
    assert step.is_conflict
    assert step.person_needed
    marked = "<<<<<<< before updating\nmine\n=======\nline three\n>>>>>>> after updating\n"
    assert _text(step) == OLD.replace("line 3\n", marked)
    assert (step.base, step.theirs) == (_file(OLD), _file(NEW))


def test_rej_keeps_the_repository_s_lines_and_what_it_rejects_can_be_applied(tmp_path: Path) -> None:
    mine = OLD.replace("line 3\n", "mine\n") + "more\n"
    step = _step(OLD, NEW, mine, "rej")
    assert _text(step) == mine
    (tmp_path / "a").write_text(mine)
    (tmp_path / "a.rej").write_text(step.rejected)
    subprocess.run(["git", "apply", "a.rej"], cwd=tmp_path, check=True)
    assert (tmp_path / "a").read_text() == NEW + "more\n"


def test_a_file_that_both_added_holds_both() -> None:
    step = _step(None, "theirs\nboth\n", "mine\nboth\n")
    assert step.outcome == "exists"
    assert step.person_needed
    assert {"mine", "theirs", "both"} <= set(_text(step).splitlines())


def test_a_link_stays_and_is_reported_only_if_the_template_changed() -> None:
    step = _step(OLD, NEW, Obstacle(what="a link"))
    assert (step.outcome, step.changes, step.person_needed) == ("kept", False, True)
    assert "a link" in step.note
    assert not _step(OLD, OLD, Obstacle(what="a link")).note


def test_line_ends_and_a_missing_last_one_stay_the_repository_s() -> None:
    step = _step(OLD, NEW, (OLD + "mine").replace("\n", "\r\n"))
    assert step.outcome == "merged"
    assert _text(step) == (NEW + "mine").replace("\n", "\r\n")


def test_different_line_ends_are_not_an_edit() -> None:
    mine = OLD.replace("\n", "\r\n")
    step = _step(OLD, NEW, mine)
    assert (step.outcome, _text(step)) == ("updated", NEW.replace("\n", "\r\n"))
    step = _step(OLD, None, mine)
    assert (step.outcome, step.new, step.person_needed) == ("removed", None, False)


def test_of_a_binary_that_both_changed_the_repository_s_stays() -> None:
    old, new, mine = ({"a": _file(b"\0" + each)} for each in (b"old", b"new", b"mine"))
    (step,) = plan(old, new, mine)
    assert (step.outcome, step.new, step.person_needed) == ("conflicted", mine["a"], True)
    (step,) = plan(old, new, old)
    assert step.new == new["a"]


def test_a_text_that_is_not_utf_8_is_merged() -> None:
    mine = _file(OLD.encode() + b"\xe9\n")
    (step,) = plan({"a": _file(OLD)}, {"a": _file(NEW)}, {"a": mine})
    assert step.new == _file(NEW.encode() + b"\xe9\n")


@pytest.mark.parametrize(("old", "new", "mine", "after"), [(0, 1, 0, 1), (0, 0, 1, 1), (1, 0, 1, 0), (1, 1, 0, 0)])
def test_an_executable_bit_that_one_side_changed_is_that_side_s(old: int, new: int, mine: int, after: int) -> None:
    trees = ({"a": _file(OLD, bool(old))}, {"a": _file(NEW, bool(new))}, {"a": _file(OLD + "mine\n", bool(mine))})
    (step,) = plan(*trees)
    assert step.new == _file(NEW + "mine\n", bool(after))


@pytest.mark.parametrize("content", [NEW, "mine\n"])
@pytest.mark.parametrize("executable", [False, True])
def test_the_executable_bit_of_a_file_that_both_add_is_the_repository_s(content: str, executable: bool) -> None:
    (step,) = plan({}, {"a": _file(NEW, not executable)}, {"a": _file(content, executable)})
    assert step.new is not None
    assert step.new.executable == executable


# --- regions ---------------------------------------------------------------------------------------------------------


def test_the_content_of_a_region_never_conflicts() -> None:
    old, new = (f"{line}\n{REGION}{line}\n" for line in ("old", "new"))
    step = _step(old.format(""), new.format(""), old.format("RUN mine\n"))
    assert (step.outcome, _text(step)) == ("merged", new.format("RUN mine\n"))


def test_line_ends_in_a_region_conflict_with_nothing_where_others_are_of_another_kind() -> None:
    new = REGION.replace("lines", "other lines").format("")
    step = _step(REGION.format(""), new, "mine\n" + REGION.format("RUN mine\r\n"))
    assert step.is_conflict
    assert _text(step).endswith(">>>>>>> after updating\nRUN mine\r\n# <<< custom: image\n")


def test_the_content_of_a_removed_region_is_a_conflict() -> None:
    step = _step(f"a\n{REGION}b\n".format(""), "a\nb\n", f"a\n{REGION}b\n".format("RUN mine\n"))
    assert step.is_conflict
    assert "RUN mine" in _text(step)
    assert "longer has the region image" in step.note


# --- renames ---------------------------------------------------------------------------------------------------------


def test_what_was_edited_goes_with_a_file_that_the_template_renames() -> None:
    steps = plan({"old": _file(OLD)}, {"new": _file(NEW)}, {"old": _file(OLD + "mine\n")})
    assert {step.path: (step.outcome, step.new) for step in steps} == {
        "old": ("removed", None),
        "new": ("merged", _file(NEW + "mine\n")),
    }


def test_an_edited_file_that_is_not_plainly_the_new_one_stays() -> None:
    other = "".join(f"other {number}\n" for number in range(12))
    steps = {step.path: step for step in plan({"old": _file(OLD)}, {"new": _file(other)}, {"old": _file("mine\n")})}
    assert steps["old"].outcome == "kept"
    assert steps["new"].new == _file(other)


def test_a_new_file_takes_the_edits_of_the_one_that_it_is_most_like() -> None:
    near = OLD.replace("line 1\n", "").replace("line 5\n", "")
    old = {"a": _file(near), "b": _file(OLD)}
    steps = {step.path: step for step in plan(old, {"new": _file(NEW)}, {"a": _file(near + "mine\n"), "b": old["b"]})}
    assert steps["a"].outcome == "kept"
    assert steps["new"].new == _file(NEW)


def test_an_existing_path_is_never_the_new_name_of_another_file() -> None:
    mine = {"old": _file(OLD + "mine\n"), "new": _file("there already\n")}
    steps = {step.path: step for step in plan({"old": _file(OLD)}, {"new": _file(OLD)}, mine)}
    assert steps["old"].outcome == "kept"
    assert steps["new"].outcome == "exists"


# --- for a thousand --------------------------------------------------------------------------------------------------


def test_nothing_but_a_text_that_both_changed_calls_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    old = {str(number): _file(OLD) for number in range(50)}
    new = {str(number): _file(NEW) for number in range(25, 75)}
    assert len(plan(old, new, old)) == 75
