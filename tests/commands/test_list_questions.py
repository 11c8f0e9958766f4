from __future__ import annotations

import json
import re

import pytest

from dockertpl import cli

Capture = pytest.CaptureFixture[str]


def test_all_answers_are_listed_with_their_kinds_within_80_columns(capsys: Capture) -> None:
    assert cli._run(["questions"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "  For python-fastapi and nextjs-standalone:\n    manager               " in shown
    assert shown.endswith("Describe one with: dockertpl questions NAME\n")


def test_one_kind_lists_only_what_it_asks(capsys: Capture) -> None:
    assert cli._run(["questions", "--kind", "shared-base"]) == 0
    shown = capsys.readouterr().out
    assert "    bases " in shown
    assert "    app " not in shown


def test_one_answer_is_described(capsys: Capture) -> None:
    assert cli._run(["questions", "port"]) == 0
    shown = capsys.readouterr().out
    assert re.match(r"port: .+\n\n.+\?", shown)
    assert "\nDefault:  8000 for python-fastapi, 3000 for nextjs-standalone." in shown
    assert "Asked:    for python-fastapi and nextjs-standalone.\n" in shown
    assert "Example:  -d port=8080\n" in shown


def test_a_kind_narrows_a_description(capsys: Capture) -> None:
    assert cli._run(["questions", "flavor", "--kind", "python-fastapi"]) == 0
    shown = capsys.readouterr().out
    assert "distroless" in shown
    assert "alpine" not in shown


@pytest.mark.parametrize("arguments", [[], ["port"], ["--kind", "shared-base"]])
def test_json_has_the_schema_first_and_every_fact(capsys: Capture, arguments: list[str]) -> None:
    assert cli._run(["questions", *arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result) == ["schema", "questions"]
    assert result["schema"] == 1
    facts = {"name", "title", "group", "kinds", "type", "help", "default", "why", "asked", "choices", "example"}
    assert all(question.keys() == facts for question in result["questions"])
    assert result["questions"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["flavour"],
            "'flavour' is not a question. Did you mean flavor?\n  List all of them with: dockertpl questions",
        ),
        (["--kind", "python-fastap"], "'python-fastap' is not a kind of image. Did you mean python-fastapi?\n  Use "),
        (["app", "--kind", "shared-base"], "The kind shared-base does not ask app.\n  These kinds do: python-fastapi."),
    ],
)
def test_an_unknown_name_ends_with_2_and_the_close_match(capsys: Capture, arguments: list[str], message: str) -> None:
    assert cli._run(["questions", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
