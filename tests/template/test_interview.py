from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from dockertpl.errors import BadAnswerError
from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview
from dockertpl.template.questions import MISSING

MakeTemplate = Callable[..., Template]

QUESTIONS = """
manager: {type: str, choices: [uv, poetry, pip], default: uv}
port: {type: int, default: 8000, validator: "{% if port < 1024 %}{{ port }} is too low.{% endif %}"}
requirements: {type: str, default: requirements.txt, when: "{{ manager == 'pip' }}",
               help: "What is {{ manager }} to read?"}
extras: {type: yaml, default: []}
title: {type: str, default: "{{ manager }} on {{ port }}",
        validator: "{% if manager not in title %}It does not name {{ manager }}.{% endif %}"}
"""


def interview(template: Template, **layers: Any) -> Interview:
    return Interview(template, folder_name="x", **layers)


def state(one: Interview) -> dict[str, Any]:
    return {
        "said": dict(one.said),
        "dropped": dict(one.dropped),
        "refused": dict(one.refused),
        "prompts": {
            name: (prompt.message, prompt.type_name, prompt.choices, prompt.default, prompt.origin)
            for name, prompt in one.prompts.items()
        },
    }


def test_just_what_applies_and_was_not_given_is_asked(make_template: MakeTemplate) -> None:
    one = interview(make_template(QUESTIONS), data={"extras": "[a]"}, data_file={"port": 9000})
    assert list(one.prompts) == ["manager", "title"]
    one.say("manager", "pip")
    assert list(one.prompts) == ["manager", "requirements", "title"]
    assert one.prompts["requirements"].message == "What is pip to read?"
    assert one.answers().values["extras"] == ["a"]


def test_enter_takes_what_was_said_then_stored_then_detected_then_the_default(make_template: MakeTemplate) -> None:
    template = make_template(QUESTIONS)
    layers: list[tuple[dict[str, Any], int, str]] = [
        ({}, 8000, "default"),
        ({"detected": {"port": 5000}}, 5000, "detected"),
        ({"detected": {"port": 5000}, "stored": {"port": 4000}}, 4000, "stored"),
    ]
    for given, default, origin in layers:
        prompt = interview(template, **given).prompts["port"]
        assert (prompt.default, prompt.origin) == (default, origin)
    one = interview(template, detected={"port": 5000}, stored={"port": 4000})
    one.say("port", "3000")
    prompt = one.prompts["port"]
    assert (prompt.default, prompt.origin) == (3000, "asked")
    assert (one.answers().values["port"], one.answers().origin["port"]) == (3000, "asked")


def test_an_answer_is_seen_by_the_questions_after_it_and_not_by_those_before(make_template: MakeTemplate) -> None:
    template = make_template(
        "a: {type: str, default: \"{{ b | default('none') }}\"}\nb: {type: str, default: '{{ a }}'}\n"
    )
    one = interview(template)
    one.say("a", "early")
    assert one.prompts["b"].default == "early"
    other = interview(template)
    other.say("b", "late")
    assert other.prompts["a"].default == "none"
    other.say("a", "early")
    assert other.prompts["b"].default == "late"


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("port", "80", "80 is too low."),
        ("port", "many", '"many" is not a whole number'),
        ("manager", "pipx", '"pipx" is not a choice: uv, poetry, pip. Did you mean pip?'),
        ("extras", "[", '"[" is not valid YAML'),
        ("title", "a\x1b[2J", "it contains the invisible character U+001B"),
    ],
)
def test_a_refused_answer_says_why_and_changes_nothing(
    make_template: MakeTemplate, name: str, raw: str, message: str
) -> None:
    one = interview(make_template(QUESTIONS))
    one.say("port", 9000)
    before = state(one)
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        one.say(name, raw)
    assert state(one) == before


def test_an_answer_that_does_not_apply_is_kept_and_comes_back(make_template: MakeTemplate) -> None:
    one = interview(make_template(QUESTIONS))
    one.say("manager", "pip")
    one.say("requirements", "prod.txt")
    one.say("manager", "uv")
    assert "requirements" not in one.prompts
    assert one.said["requirements"] == "prod.txt"
    assert (one.answers().values["requirements"], one.answers().warnings) == ("requirements.txt", ())
    one.say("manager", "pip")
    assert one.prompts["requirements"].default == "prod.txt"
    assert one.answers().values["requirements"] == "prod.txt"


def test_an_answer_that_a_later_change_makes_wrong_is_to_be_asked_again(make_template: MakeTemplate) -> None:
    one = interview(make_template(QUESTIONS))
    one.say("title", "with uv")
    assert not one.dropped
    one.say("manager", "pip")
    assert one.dropped == {"title": "It does not name pip."}
    assert (one.prompts["title"].default, one.prompts["title"].origin) == ("pip on 8000", "default")
    with pytest.raises(BadAnswerError) as caught:
        one.answers()
    assert caught.value.data["answers"] == [{"key": "title", "message": "It does not name pip."}]
    # The answer is not lost: it comes back with its question.
    one.say("manager", "uv")
    assert (one.dropped, one.answers().values["title"]) == ({}, "with uv")
    one.say("manager", "pip")
    one.say("title", "with pip")
    assert (one.dropped, one.answers().values["title"]) == ({}, "with pip")


def test_text_is_read_once(make_template: MakeTemplate) -> None:
    one = interview(make_template("a: {type: yaml, default: 0}\nb: {type: yaml, default: 0}\n"))
    one.say("a", "\"'1'\"")
    one.say("b", "true")
    assert one.answers().values == {"a": "'1'", "b": True}


def test_a_question_without_an_answer_is_asked_and_no_answers_are_had_before(make_template: MakeTemplate) -> None:
    one = interview(make_template("a: {type: int}\nb: {type: str, default: '{{ a }}'}\nc: {type: int, default: 1}\n"))
    assert one.prompts["a"].default is MISSING
    # Questions that depend on it cannot be asked yet.
    assert list(one.prompts) == ["a", "c"]
    assert not one.refused
    with pytest.raises(BadAnswerError, match="a: it needs an answer"):
        one.answers()
    one.say("a", "2")
    assert list(one.prompts) == ["a", "b", "c"]
    assert one.answers().values == {"a": 2, "b": "2", "c": 1}


def test_a_default_that_is_refused_is_mended_by_an_answer(make_template: MakeTemplate) -> None:
    one = interview(make_template("role: {type: str, default: '', validator: \"{{ 'Write one.' if not role }}\"}\n"))
    with pytest.raises(ValueError, match="Write one"):
        one.prompts["role"].check(one.prompts["role"].default)
    with pytest.raises(BadAnswerError, match="the default is not valid: Write one"):
        one.answers()
    one.say("role", "push")
    assert one.answers().values == {"role": "push"}


def test_a_given_answer_that_is_refused_is_known_before_anything_is_asked(make_template: MakeTemplate) -> None:
    template = make_template(QUESTIONS)
    one = interview(template, data={"port": "80", "nonsense": "1"})
    assert one.refused == {"nonsense": "unknown question.", "port": "80 is too low."}
    assert list(one.prompts) == ["manager", "extras", "title"]
    # Here, another answer can still make it valid.
    one = interview(template, data={"title": "with pip"})
    assert one.refused == {"title": "It does not name uv."}
    one.say("manager", "pip")
    assert not one.refused
    assert one.answers().origin == {
        "manager": "asked",
        "port": "default",
        "requirements": "default",
        "extras": "default",
        "title": "-d",
    }


def test_a_question_that_is_not_asked_takes_no_answer(make_template: MakeTemplate) -> None:
    one = interview(make_template(QUESTIONS), data={"port": "9000"})
    for name in ("requirements", "port", "nonsense"):
        with pytest.raises(KeyError):
            one.say(name, "9001")


def test_a_prompt_checks_against_the_answers_before_it_also_after_others_were_given(
    make_template: MakeTemplate,
) -> None:
    one = interview(make_template(QUESTIONS))
    prompt = one.prompts["title"]
    one.say("manager", "pip")
    assert prompt.check("with uv") == "with uv"
    with pytest.raises(ValueError, match="pip"):
        one.prompts["title"].check("with uv")


def test_a_prompt_does_not_see_the_answers_after_it(make_template: MakeTemplate) -> None:
    question = (
        "a: {type: str, default: x, validator: \"{{ 'b is known' if b is defined }}\"}\nb: {type: str, default: y}\n"
    )
    one = interview(make_template(question))
    one.say("b", "z")
    assert one.prompts["a"].check("q") == "q"


def test_what_follows_from_an_answer_that_was_dropped_is_not_reported_too(make_template: MakeTemplate) -> None:
    follows = "slug: {type: str, default: '{{ title }}', validator: \"{{ 'No.' if 'with' not in slug }}\"}\n"
    one = interview(make_template(QUESTIONS + follows))
    one.say("title", "with uv")
    one.say("manager", "pip")
    with pytest.raises(BadAnswerError) as caught:
        one.answers()
    assert [problem["key"] for problem in caught.value.data["answers"]] == ["title"]


def test_the_same_answers_come_of_an_interview_and_of_flags(make_template: MakeTemplate) -> None:
    from dockertpl.template.answers import resolve

    template = make_template(QUESTIONS)
    said = {"manager": "pip", "port": "9000", "requirements": "prod.txt", "extras": "[a, b]", "title": "pip"}
    one = interview(template)
    for name, raw in said.items():
        one.say(name, raw)
    assert one.answers().values == resolve(template, folder_name="x", data=said).values
