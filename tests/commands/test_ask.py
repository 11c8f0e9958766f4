from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from dockertpl.commands.ask import agree, asker, confirm, written
from dockertpl.template.answers import Answers, resolve
from dockertpl.template.environment import Template
from dockertpl.template.source import TemplateSource

Write = Callable[[Path, Mapping[str, str]], Path]
Talk = Callable[..., tuple[Answers, str]]


@pytest.fixture
def talk(tmp_path: Path, write_files: Write) -> Iterator[Talk]:
    """`talk(QUESTIONS, TYPED, detected=…)` answers questions as a person who types those lines."""

    def run(questions: str, typed: str, **layers: Any) -> tuple[Answers, str]:
        write_files(tmp_path, {"copier.yml": questions})
        template = Template(TemplateSource(root=tmp_path, src_path=None, commit=None))
        answers: list[Answers] = []

        @click.command()
        def command() -> None:
            answers.append(resolve(template, folder_name="x", ask=asker({"port": "app/main.py:3"}), **layers))

        result = CliRunner().invoke(command, input=typed, catch_exceptions=False, standalone_mode=False)
        assert result.stdout == ""
        return answers[0], result.stderr

    yield run


def test_a_question_shows_help_default_and_where_it_was_found(talk: Talk) -> None:
    answers, shown = talk("port: {type: int, default: 1, help: Which port?}", "\n", detected={"port": 8000})
    assert answers.values == {"port": 8000}
    assert answers.origin["port"] == "asked"
    for text in ("Which port?\n", "Found: 8000 (app/main.py:3)", "port [8000]: "):
        assert text in shown


def test_a_bad_answer_is_asked_again_with_the_reason(talk: Talk) -> None:
    questions = "port: {type: int, default: 1, validator: '{% if port > 9 %}{{ port }} is too high.{% endif %}'}"
    answers, shown = talk(questions, "many\n10\n9\n")
    assert answers.values == {"port": 9}
    assert '"many" is no whole number' in shown
    assert "10 is too high." in shown


def test_a_choice_is_named_by_value_or_number(talk: Talk) -> None:
    questions = "m: {type: str, choices: {The first: uv, The second: pip}, default: uv}"
    for typed, expected in (("pip", "pip"), ("2", "pip"), ("", "uv")):
        answers, shown = talk(questions, f"{typed}\n")
        assert answers.values == {"m": expected}
    assert "  1) uv  The first\n  2) pip  The second\n" in shown
    _, shown = talk(questions, "pit\n3\nuv\n")
    assert "Did you mean pip?" in shown
    assert '"3" is no choice' in shown


def test_a_number_that_is_a_choice_s_value_is_that_choice(talk: Talk) -> None:
    answers, _ = talk("n: {type: int, choices: [2, 1], default: 2}", "1\n")
    assert answers.values == {"n": 1}


def test_the_only_choice_is_not_asked_for(talk: Talk) -> None:
    answers, shown = talk("k: {type: str, choices: {The one: a}, default: a}", "")
    assert (answers.values, shown) == ({"k": "a"}, "")


def test_yes_and_no_lists_and_nothing(talk: Talk) -> None:
    questions = "a: {type: bool, default: false}\nb: {type: yaml, default: []}\nc: {type: str, default: x}\n"
    answers, shown = talk(questions, 'y\n[one, two]\n""\n')
    assert answers.values == {"a": True, "b": ["one", "two"], "c": ""}
    assert "b [[]]: " in shown
    answers, _ = talk(questions, "\n\n\n")
    assert answers.values == {"a": False, "b": [], "c": "x"}


def test_a_question_without_default_is_asked_until_it_has_an_answer(talk: Talk) -> None:
    answers, _ = talk("a: {type: str}\n", "\n\nx\n")
    assert answers.values == {"a": "x"}


def test_the_end_of_input_is_an_interrupt(talk: Talk) -> None:
    with pytest.raises(click.Abort):
        talk("a: {type: str}\n", "")


def test_a_no_is_an_interrupt() -> None:
    @click.command()
    def command() -> None:
        confirm("Write?")

    for typed in ("n\n", ""):
        with pytest.raises(click.Abort):
            CliRunner().invoke(command, input=typed, catch_exceptions=False, standalone_mode=False)
    assert CliRunner().invoke(command, input="\n", standalone_mode=False).exception is None


def test_what_can_be_left_out_takes_a_no() -> None:
    said = []

    @click.command()
    def command() -> None:
        said.append(agree("Change it?"))

    for typed in ("\n", "y\n", "n\n"):
        CliRunner().invoke(command, input=typed, catch_exceptions=False, standalone_mode=False)
    assert said == [True, True, False]


def test_what_a_repository_says_cannot_redraw_the_screen(talk: Talk) -> None:
    _, shown = talk("a: {type: str, default: 'x'}\n", "\n", stored={"a": "ok"})
    assert "a [ok]" in shown
    assert written("a\x1b[2Jb\u202e") == "a\\x1b[2Jb\\u202e"
    assert written({"k": [1, True]}) == "{k: [1, true]}"
