from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockertpl.errors import TemplateError
from dockertpl.template.environment import Template
from dockertpl.template.presentation import GROUPS, NOT_SHOWN, WORDS, load
from dockertpl.template.questions import Question
from dockertpl.template.questions import load as load_questions
from dockertpl.template.source import bundled

ROOT = Path(__file__).resolve().parents[2]
MakeTemplate = Callable[..., Template]

QUESTIONS = "a: {default: x}\nb: {default: y, choices: [y, z]}\n"
GOOD: Mapping[str, Any] = {
    "groups": [{"name": "One", "title": "All there is", "questions": ["b", "a"]}],
    "questions": {
        "a": {"title": "A", "why": "It is x."},
        "b": {"title": "B", "why": "It is y.", "effects": {"z": "+1 MB", "y": {"kind-one": "2 MB"}}},
    },
}


def test_every_question_of_the_template_is_in_one_group_and_has_its_words() -> None:
    template = Template(bundled())
    words = load(template)
    names = [question.name for question in load_questions(template) if question.name not in NOT_SHOWN]
    assert sorted(name for group in words.groups for name in group.questions) == sorted(names)
    for name in names:
        assert name in words.group_of(name).questions
        assert 0 < len(words.title(name)) <= 24
        assert 0 < len(words.why(name)) <= 70
        assert re.fullmatch(r"[^\n|]+[.]", words.why(name)), "one sentence, on one line of a table"


def test_copier_asks_what_copier_yml_holds_and_the_rest_by_the_group_of_each() -> None:
    template = Template(bundled())
    basic = set(yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8").partition("\n---\n")[0]))
    groups = json.loads((ROOT / GROUPS).read_text(encoding="utf-8"))
    keys = {name: group["name"].lower() for group in groups for name in group["questions"]}
    always = {"aws_role", "gcp_provider", "gcp_service_account"}  # what has no default
    for question in load_questions(template):
        if question.name in basic | always:
            assert question.ask is True
        elif question.name == "digests":
            assert question.ask is False
        else:
            assert str(question.ask).endswith(f"'{keys[question.name]}' in customize }}}}"), question.name


def test_titles_are_told_apart() -> None:
    words = load(Template(bundled()))
    titles = [words.title(name) for name in words.questions]
    assert sorted({title.casefold() for title in titles}) == sorted(title.casefold() for title in titles)
    assert [group.name for group in words.groups] == ["Application", "Image", "CI"]


def test_an_effect_is_of_a_choice_or_of_an_item_and_says_what_was_measured() -> None:
    template = Template(bundled())
    figures = (ROOT / "docs" / "explanation" / "figures.md").read_text(encoding="utf-8")
    kinds = [
        choice.value
        for question in load_questions(template)
        if question.name == "kind"
        for choice in question.offered(template, {})
    ]
    for question in load_questions(template):
        if question.name in NOT_SHOWN:
            continue
        for value, effect in load(template).questions[question.name].effects.items():
            texts = {"": effect} if isinstance(effect, str) else effect
            for kind, text in texts.items():
                assert not kind or kind in kinds
                assert text.endswith(", measured")
                assert len(text) <= 48
                figure = re.findall(r"[0-9][0-9.]*(?: (?:MB|s)\b)?", text)
                assert figure
                assert all(re.search(rf"(?<![\d.,]){re.escape(one)}(?![\d.])", figures) for one in figure), text
                assert value in _allowed(template, question, kind)


def _allowed(template: Template, question: Question, kind: str) -> list[str]:
    """Return the choices, yes and no, or the items that the validator of a list names."""
    if choices := question.offered(template, {"kind": kind}):
        return [choice.value for choice in choices]
    if question.type == "bool":
        return ["true", "false"]
    return re.findall(r"[a-z][a-z-]*", question.validator)


def test_what_differs_by_kind_is_said_for_the_kind_alone(make_template: MakeTemplate) -> None:
    words = load(make_template(QUESTIONS, _files(GOOD)))
    assert words.effect("b", "z") == "+1 MB"
    assert words.effect("b", "y", "kind-one") == "2 MB"
    assert (words.effect("b", "y"), words.effect("b", "y", "kind-two"), words.effect("a", "x")) == ("", "", "")
    assert load(Template(bundled())).effect("sudo", True) == "+3 MB, measured"


@pytest.mark.parametrize("look_up", ["group_of", "title", "why"])
def test_an_unknown_question_is_an_error(look_up: str) -> None:
    with pytest.raises(KeyError):
        getattr(load(Template(bundled())), look_up)("nonsense")
    with pytest.raises(KeyError):
        load(Template(bundled())).effect("nonsense", "x")


def _files(content: Mapping[str, Any]) -> dict[str, str]:
    """Return a template's two files for the wizard."""
    return {GROUPS: json.dumps(content["groups"]), WORDS: yaml.safe_dump({"questions": content["questions"]})}


def _without(name: str) -> Mapping[str, Any]:
    return {**GOOD, "questions": {key: value for key, value in GOOD["questions"].items() if key != name}}


def _grouped(*names: str) -> Mapping[str, Any]:
    return {**GOOD, "groups": [{"name": "One", "title": "All", "questions": list(names)}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("[", "cannot be read"),
        ("- a", "not have the form"),
        ("groups: []", "not have the form"),
        (_without("a"), "wizard.yml leaves out: a"),
        ({**GOOD, "questions": {**GOOD["questions"], "c": GOOD["questions"]["a"]}}, "names unknown questions: c"),
        ({**GOOD, "questions": {**GOOD["questions"], "a": {"title": "A"}}}, "not have the form"),
        ({**GOOD, "questions": {**GOOD["questions"], "a": {**GOOD["questions"]["a"], "y": "z"}}}, "sets y"),
        ({**GOOD, "questions": {**GOOD["questions"], "a": {"title": ["A"], "why": "x"}}}, "is not a text"),
        (_grouped("a"), "groups.json leaves out: b"),
        (_grouped("a", "b", "c"), "names unknown questions: c"),
        (_grouped("a", "b", "a"), "names twice: a"),
        ({**GOOD, "groups": [{"name": "One", "questions": ["a", "b"]}]}, "a group has"),
    ],
)
def test_a_file_that_does_not_fit_the_questions_is_an_error(
    make_template: MakeTemplate, content: Any, message: str
) -> None:
    files = {**_files(GOOD), WORDS: content} if isinstance(content, str) else _files(content or GOOD)
    template = make_template(QUESTIONS, {} if content is None else files)
    with pytest.raises(TemplateError, match=message):
        load(template)
