from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.parity import by_copier, by_us

from dockertpl.errors import BadAnswerError, BadInputError
from dockertpl.template.answers import read_data_file, read_mapping, resolve
from dockertpl.template.environment import Template

MakeTemplate = Callable[..., Template]

QUESTIONS = """
manager: {type: str, choices: [uv, poetry, pip], default: uv}
port: {type: int, default: 8000, validator: "{% if port < 1024 %}{{ port }} is too low.{% endif %}"}
requirements: {type: str, default: requirements.txt, when: "{{ manager == 'pip' }}"}
extras: {type: yaml, default: []}
title: {type: str, default: "{{ manager }} on {{ port }}"}
"""


def test_each_source_of_answers_overrides_the_one_before(make_template: MakeTemplate) -> None:
    layers: list[tuple[str, dict[str, Any]]] = [
        ("detected", {"port": 5000}),
        ("stored", {"port": 4000}),
        ("data_file", {"port": 3000}),
        ("data", {"port": "2000"}),
    ]
    names = {"data": "-d", "data_file": "data file"}
    template = make_template(QUESTIONS)
    given: dict[str, Any] = {}
    for layer, answers in layers:
        given[layer] = answers
        resolved = resolve(template, folder_name="x", **given)
        assert resolved.values["port"] == int(answers["port"])
        assert resolved.origin["port"] == names.get(layer, layer)
    assert resolve(template, folder_name="x").origin["port"] == "default"


def test_every_bad_answer_is_named_in_one_error(make_template: MakeTemplate) -> None:
    with pytest.raises(BadAnswerError) as caught:
        resolve(
            make_template(QUESTIONS),
            folder_name="x",
            data={"manger": "uv", "port": "80", "extras": "["},
            data_file={"manager": "pipx", "nonsense": 1},
        )
    assert caught.value.exit_code == 2
    assert [problem["key"] for problem in caught.value.data["answers"]] == [
        "nonsense",
        "manger",
        "manager",
        "port",
        "extras",
    ]
    for line in (
        "5 answers are not valid:",
        "  manger: unknown question. Did you mean manager?",
        '  manager: "pipx" is not a choice: uv, poetry, pip. Did you mean pip?',
        "  port: 80 is too low.",
    ):
        assert line in caught.value.message.splitlines()


def test_what_follows_from_a_bad_answer_is_not_reported_too(make_template: MakeTemplate) -> None:
    template = make_template(
        "a: {type: str, default: ok, validator: \"{% if a != 'ok' %}bad{% endif %}\"}\n"
        "b: {type: str, default: '{{ a }}', validator: \"{% if b != 'ok' %}as bad{% endif %}\"}\n"
        "c: {type: int, default: \"{{ {'ok': 1}[a] }}\"}\n"
    )
    with pytest.raises(BadAnswerError) as caught:
        resolve(template, folder_name="x", data={"a": "no"})
    assert caught.value.message == "a: bad"


def test_an_invalid_default_says_which_answer_to_give(make_template: MakeTemplate) -> None:
    template = make_template(
        "a: {type: str, default: '{{ _folder_name }}', validator: '{% if a > \"b\" %}no{% endif %}'}\n"
    )
    with pytest.raises(BadAnswerError, match="the default is not valid: no Give -d a="):
        resolve(template, folder_name="c")
    assert resolve(template, folder_name="c", data={"a": "a"}).values == {"a": "a"}


def test_a_question_without_default_needs_an_answer(make_template: MakeTemplate) -> None:
    with pytest.raises(BadAnswerError, match="it needs an answer: -d a="):
        resolve(make_template("a: {type: str}\n"), folder_name="x")


def test_a_question_without_default_says_how_its_answer_is_written(make_template: MakeTemplate) -> None:
    question = "a: {type: str, default: '{{ UNSET }}', validator: \"{{ 'Write it like b.' if a != 'b' }}\"}\n"
    with pytest.raises(BadAnswerError) as caught:
        resolve(make_template(question), folder_name="x")
    assert caught.value.message == "a: it needs an answer: -d a=… (Write it like b.)"


def test_an_answer_that_does_not_apply_is_not_stored_and_warned_of(make_template: MakeTemplate) -> None:
    resolved = resolve(make_template(QUESTIONS), folder_name="x", data={"requirements": "r.txt"})
    assert "requirements" not in resolved.remembered()
    assert resolved.warnings == ('requirements does not apply to the other answers, so "r.txt" is not stored.',)


def test_what_was_detected_for_a_question_that_is_not_asked_is_left_out(make_template: MakeTemplate) -> None:
    resolved = resolve(make_template(QUESTIONS), folder_name="x", detected={"requirements": "r.txt", "strange": 1})
    assert resolved.values["requirements"] == "requirements.txt"
    assert resolved.warnings == ()


def test_an_invalid_detected_value_is_a_warning(make_template: MakeTemplate) -> None:
    resolved = resolve(make_template(QUESTIONS), folder_name="x", detected={"port": 80, "manager": "conda"})
    assert (resolved.values["port"], resolved.values["manager"]) == (8000, "uv")
    assert [warning.split(":")[0] for warning in resolved.warnings] == ["manager", "port"]


def test_a_stored_answer_that_is_no_longer_valid_is_a_warning(make_template: MakeTemplate) -> None:
    stored = {"manager": "pipenv", "requirements": 7, "old": "kept", "_commit": "v1"}
    resolved = resolve(make_template(QUESTIONS), folder_name="x", stored=stored)
    assert resolved.values["manager"] == "uv"
    assert len(resolved.warnings) == 1
    assert "manager" in resolved.warnings[0]
    assert resolved.leftovers == {"old": "kept"}


@pytest.mark.parametrize(
    "stored",
    [
        {"manager": "pip", "requirements": "r.txt", "port": 9000, "extras": ["a"], "title": "T"},
        {"manager": "gone", "port": 80, "extras": "[", "title": None},
        {"requirements": "r.txt", "renamed": "x", "port": "9000"},
    ],
)
def test_stored_answers_are_taken_as_by_copier(
    make_template: MakeTemplate, tmp_path: Path, stored: dict[str, Any]
) -> None:
    template = make_template(QUESTIONS + "new_name: {type: str, default: \"{{ renamed | default('fresh') }}\"}\n")
    destination = tmp_path / "x"
    destination.mkdir()
    (destination / ".copier-answers.yml").write_text(yaml.safe_dump(stored))
    assert by_us(template, "x", stored=stored) == by_copier(template.source.root, destination)


@pytest.mark.parametrize("detected", [{"port": 9000, "manager": "pip"}, {"title": "{{ 7 * 7 }}", "extras": ["b"]}])
def test_detected_answers_are_what_copier_calls_user_defaults(
    make_template: MakeTemplate, tmp_path: Path, detected: dict[str, Any]
) -> None:
    template = make_template(QUESTIONS)
    theirs = by_copier(template.source.root, tmp_path / "x", user_defaults=detected)
    assert by_us(template, "x", detected=detected) == theirs


def test_answers_that_hide_what_they_say_are_refused(make_template: MakeTemplate) -> None:
    for answer in ("a\u202eb", "a\x1b[2Jb", "\udcff"):
        with pytest.raises(BadAnswerError, match="invisible character"):
            resolve(make_template(QUESTIONS), folder_name="x", data={"title": answer})


def test_a_yaml_bomb_in_an_answer_is_refused(make_template: MakeTemplate) -> None:
    bomb = "[&a [x, x], " + ", ".join(f"&{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]" for n in range(24)) + "]"
    for answer in (bomb, "&a [*a]", "[" * 5000):
        with pytest.raises(BadAnswerError, match="extras"):
            resolve(make_template(QUESTIONS), folder_name="x", data={"extras": answer})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1, 2]", "not a mapping"),
        (b"a: [", "not valid YAML"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"1: a", "not a mapping"),
        (b"a: 2020-13-45", "not valid YAML"),
    ],
)
def test_an_invalid_data_file_is_one_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "answers.yml"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=message):
        read_data_file(path)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_data_file(tmp_path)
    with pytest.raises(BadInputError, match="No such file"):
        read_data_file(tmp_path / "nothing.yml")


def test_an_answers_file_can_be_a_data_file(
    tmp_path: Path, write_files: Callable[[Path, Mapping[str, str]], Path]
) -> None:
    write_files(tmp_path, {"a.yml": "_commit: v1\n_src_path: x\nport: 1\n", "empty.yml": ""})
    assert read_data_file(tmp_path / "a.yml") == {"port": 1}
    assert read_mapping(tmp_path / "a.yml")["_commit"] == "v1"
    assert read_data_file(tmp_path / "empty.yml") == {}
