from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.parity import RefusedError, by_copier, by_us

from dockertpl.errors import TemplateError
from dockertpl.template.environment import Template
from dockertpl.template.questions import RefusedError as AnswerRefusedError
from dockertpl.template.questions import load

MakeTemplate = Callable[..., Template]

# Questions and answers of a template have the same meaning as in Copier.
_CONFORMANCE: Mapping[str, tuple[str, list[dict[str, Any]]]] = {
    "short form": ("a: 1\nb: text\nc: true\nd: [x]\ne: null\nf: 1.5\n", [{}, {"a": "7"}, {"b": 3}, {"d": "[z]"}]),
    "types": (
        "a: {type: int, default: '3'}\nb: {type: float, default: 1}\nc: {type: bool, default: 'no'}\n"
        "d: {type: json, default: '[1]'}\ne: {type: yaml, default: '{k: [1, 2020-01-01]}'}\n"
        "f: {type: path, default: x}\n",
        [
            {},
            {"a": "x"},
            {"b": "1e3"},
            {"c": "yes", "d": "{"},
            {"e": "[", "f": "y"},
            {"d": {"a": 1}},
            {"e": "2020-01-01"},
        ],
    ),
    "default from another": (
        "a: {type: str, default: x}\nb: {type: str, default: '{{ a }}-{{ _folder_name }}'}\nc: '{{ [a, b] }}'\n",
        [{}, {"a": "y"}, {"a": "{{ b }}"}, {"b": "z"}],
    ),
    "templated list as default": ("a: x\nb: {type: yaml, default: ['{{ a }}', 2]}\n", [{}, {"a": "q"}]),
    "choices": (
        "a: {type: str, choices: [x, y], default: y}\nb: {type: int, choices: {One: 1, Two: 2}, default: 2}\n"
        "c: {type: str, choices: [[First, f], [Second, s]], default: s}\n",
        [{}, {"a": "x", "b": "1", "c": "f"}, {"a": "z"}, {"b": 3}, {"c": "First"}, {"b": True}],
    ),
    "default that is not a choice": ("a: {type: str, choices: [x, y], default: z}\n", [{}, {"a": "x"}]),
    "templated choices": (
        "a: {type: int, default: 2}\nb: {type: str, choices: \"{{ ['x', 'y'][:a] | to_json }}\", default: x}\n"
        "c: {type: str, choices: {'L {{ a }}': 'v{{ a }}'}, default: 'v{{ a }}'}\n",
        [{}, {"a": 1, "b": "y"}, {"b": "y"}, {"c": "v2"}, {"c": "v3"}],
    ),
    "choices that are closed": (
        "a: {type: bool, default: true}\nb:\n  type: str\n  default: x\n  choices:\n    X: x\n"
        '    Y: {value: y, validator: "{% if a %}not with a{% endif %}"}\n',
        [{}, {"b": "y"}, {"a": False, "b": "y"}],
    ),
    "several of the choices": (
        "a: {type: str, multiselect: true, choices: [x, y, z], default: [z, x]}\n"
        "b: {type: int, multiselect: true, choices: {One: 1, Two: 2}, default: '[2]'}\n",
        [
            {},
            {"a": ["y", "x"]},
            {"a": "[z, x]"},
            {"a": []},
            {"a": ["q"]},
            {"b": "[1]"},
            {"b": [2, 1]},
            {"a": "x"},
            {"a": "["},
        ],
    ),
    "what is not asked": (
        "a: {type: bool, default: false}\nb: {type: str, default: x, ask: '{{ a }}'}\n"
        "c: {type: str, default: '{{ b }}', ask: false}\n",
        [{}, {"a": True}, {"b": "given"}, {"c": "q"}],
    ),
    "when": (
        "a: {type: bool, default: false}\nb: {type: str, default: x, when: '{{ a }}'}\n"
        "c: {type: str, default: '{{ b }}'}\n"
        "d: {type: str, when: false, default: 'computed {{ c }}'}\ne: {type: str, when: '{{ a }}'}\n",
        [{}, {"a": True, "e": "q"}, {"a": True}, {"b": "given"}, {"a": "yes", "b": "given", "e": ""}, {"d": "given"}],
    ),
    "when is any word": (
        "".join(
            f"q{i}: {{type: int, default: 1, when: '{word}'}}\n"
            for i, word in enumerate(
                ["yes", "no", "0", "1", "", "none", "~", "banana", "{{ [] }}", "{{ none }}", "0.0", "off"]
            )
        ),
        [{}],
    ),
    "validator": (
        "a: {type: int, default: 1, validator: '{% if a > 9 %}{{ a }} is over nine{% endif %}'}\n"
        "b: {type: int, default: 99, when: false, validator: 'no'}\n"
        "c: {type: str, default: x, validator: '{{ undefined_here }}', when: '{{ a == 5 }}'}\n",
        [{}, {"a": 10}, {"a": "9"}, {"a": 5}, {"b": 1}],
    ),
    "no default for some answers": (
        "a: {type: str, default: x}\nb: {type: str, default: \"{{ UNSET if a == 'x' else a }}\"}\n",
        [{}, {"a": "y"}, {"b": "z"}],
    ),
    "no default where it is not asked": (
        "a: {type: str, default: '{{ UNSET }}', when: false}\nb: {type: str, default: \"{{ a | default('none') }}\"}\n",
        [{}, {"a": "y"}],
    ),
    "default that its validator refuses": ("a: {type: int, default: 1, validator: 'no'}\n", [{}, {"a": 2}]),
    "no default": ("a: {type: str}\n", [{}, {"a": "x"}]),
    "secret": (
        "a: {type: str, default: s, secret: true}\nb: '{{ a }}'\n_secret_questions: [c]\nc: x\n",
        [{}, {"a": "t"}],
    ),
    "words that are no text": ("a: {type: str, default: x, validator: no}\n", [{}]),
    "answers of later questions": ("a: '{{ b | default(1) }}'\nb: {type: int, default: 2}\n", [{}, {"b": "5"}]),
}


@pytest.mark.parametrize("case", _CONFORMANCE)
def test_questions_mean_what_copier_says(make_template: MakeTemplate, tmp_path: Path, case: str) -> None:
    questions, answer_sets = _CONFORMANCE[case]
    names = [key for document in yaml.safe_load_all(questions) for key in document if not key.startswith("_")]
    shown = "".join(f"{name}={{{{ {name} | default('undefined') | string }}}}\n" for name in names)
    template = make_template(questions, {"project/shown.jinja": shown})
    for number, answers in enumerate(answer_sets):
        theirs, ours = (
            _outcome(by_copier, template.source.root, tmp_path / str(number) / "Folder", answers),
            _outcome(by_us, template.source, "Folder", answers),
        )
        assert ours == theirs, answers


def _outcome(run: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return run(*arguments)
    except RefusedError:
        return "refused"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("potery", '"potery" is not a choice: uv, poetry, pip. Did you mean poetry?'),
        ("UV", '"UV" is not a choice: uv, poetry, pip. Did you mean uv?'),
        ("zzz", '"zzz" is not a choice: uv, poetry, pip.'),
        (3.1, '"3.1" is not a choice: uv, poetry, pip. (YAML reads it as a number, so write it in quotes.)'),
    ],
)
def test_a_bad_choice_names_the_choices_and_the_nearest(make_template: MakeTemplate, answer: Any, message: str) -> None:
    template = make_template("manager: {type: str, choices: [uv, poetry, pip], default: uv}\n")
    with pytest.raises(AnswerRefusedError) as caught:
        load(template)[0].parse(template, {}, answer)
    assert str(caught.value) == message


def test_a_validator_s_message_is_shown_whole(make_template: MakeTemplate) -> None:
    template = make_template("a:\n  type: int\n  default: 1\n  validator: |\n    {{ a }} will not do:\n\n      use 1\n")
    with pytest.raises(AnswerRefusedError, match=r"^7 will not do: use 1$"):
        load(template)[0].validate(template, {}, 7)


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ("a: {type: str, lexer: yaml}", "lexer"),
        ("a: {type: strange, default: x}", "one of bool, float"),
        ("now: x", "reserves"),
        ("a: {type: str, secret: true}", "secret and has no default"),
        ("a: {type: str, choices: {X: {validator: ''}}, default: x}", "without a value"),
        ("a: '{{ nothing }}'", "cannot be rendered"),
        ("a: '{{'", "cannot be rendered"),
    ],
)
def test_what_the_reader_does_not_know_is_the_template_s_fault(
    make_template: MakeTemplate, questions: str, message: str
) -> None:
    from dockertpl.template.answers import resolve

    with pytest.raises(TemplateError, match=message):
        resolve(make_template(questions), folder_name="x")
