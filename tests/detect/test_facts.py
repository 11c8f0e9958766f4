from __future__ import annotations

from dockertpl.detect.facts import Detection, Evidence


def test_a_place_is_file_and_line() -> None:
    assert Evidence(path="a.py", line=3).where == "a.py:3"
    assert Evidence(path="a.py").where == "a.py"
    assert Evidence(note="guess").where == ""


def test_what_is_given_is_dropped_except_the_folder_and_the_rest_is_ordered() -> None:
    found = Detection()
    found.answer("port", 1)
    found.answer("app", "a:b", "a.py", 1)
    found.answer("app_dir", ".")
    found.cannot_tell("health_path", "?")
    found.settle({"port": 2, "app_dir": ".", "health_path": "/x"}, ["app_dir", "app", "port"])
    assert list(found.answers) == ["app_dir", "app"]
    assert set(found.evidence) == {"app_dir", "app"}
    assert found.unknown == []


def test_a_warning_is_shown_once() -> None:
    found = Detection()
    found.warn("x")
    found.warn("x")
    assert found.warnings == ["x"]


def test_a_fact_may_have_several_values() -> None:
    found = Detection()
    found.answer("app", "a:b")
    found.fact("dockerfile", "a")
    found.fact("dockerfile", "b")
    assert [(key, fact.value) for key, fact in found.lines()] == [
        ("app", "a:b"),
        ("dockerfile", "a"),
        ("dockerfile", "b"),
    ]
