from __future__ import annotations

from typing import Any

import pytest
from tests.pairwise import TABLE, answer_sets, some, values

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.questions import load
from dockertpl.template.source import bundled

pytestmark = pytest.mark.slow


def test_every_question_has_values_to_try() -> None:
    names = [question.name for question in load(Template(bundled()))]
    missing = [name for name in names if name not in values()]
    assert not missing, f"{TABLE.name} needs values for {', '.join(missing)}"


def test_every_value_of_every_question_is_in_some_set() -> None:
    sets = answer_sets()
    for name, tried in values().items():
        seen = [answers[name] for answers in sets if name in answers]
        for value in tried:
            # Every form of a value that depends on another answer.
            forms = next(iter(value.values())).values() if _depends(value) else [value]
            assert all(form in seen or str(form).startswith("=") for form in forms), (name, value)


def _depends(value: Any) -> bool:
    return isinstance(value, dict) and next(iter(value), "").startswith("=")


def test_values_that_can_go_together_do() -> None:
    sets = answer_sets()
    for pair in (
        {"manager": "uv", "flavor": "distroless"},
        {"manager": "pip", "server": "hypercorn"},
        {"require_hashes": True, "layout": "package"},
        {"compose": True, "private_index": True},
    ):
        assert any(pair.items() <= _plain(answers).items() for answers in sets), pair


def test_a_few_of_the_sets_hold_every_value_of_each_kind() -> None:
    def reached(sets: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
        return {(answers["kind"], name, repr(value)) for answers in sets for name, value in answers.items()}

    sets = answer_sets()
    assert reached([sets[number] for number in some()]) == reached(sets)
    assert len(some()) < len(sets) / 4


def test_a_set_holds_just_the_answers_that_apply() -> None:
    template = Template(bundled())
    for answers in answer_sets():
        resolved = resolve(template, folder_name="repository", data=answers)
        assert not resolved.warnings
        assert not answers.keys() & resolved.hidden


def test_the_sets_are_the_same_every_time() -> None:
    first = answer_sets()
    first[0]["name"] = "changed"
    assert answer_sets()[0]["name"] != "changed"
    assert 10 < len(answer_sets()) < 330


def _plain(answers: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answers.items() if isinstance(value, str | bool | int)}
