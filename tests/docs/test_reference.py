"""The reference pages match the code."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import click

from dockertpl import cli

ROOT = Path(__file__).parents[2]


def test_the_questions_reference_is_current() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "reference" / "generate.py")
    assert spec and spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.TARGET.read_text() == generate.text(), "run python docs/reference/generate.py"


def _commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{name} ")
        else:
            yield f"{prefix}{name}", command


def test_the_commands_reference_has_every_command_and_option_and_no_others() -> None:
    text = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `((?:fleet )?[a-z]+)(?: [^`]*)?` \| [a-z].*? \| (.*) \|$", text, flags=re.MULTILINE))
    commands = dict(_commands(cli.cli))
    assert rows.keys() == commands.keys()
    for name, command in commands.items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        named = set(re.findall(r"--[a-z-]+", rows[name].replace("-d KEY=VALUE", "--data")))
        assert named <= options, name
        # A row may refer to the options of another row.
        if "those of" not in rows[name]:
            assert named == options, name


def test_an_item_of_the_changelog_is_one_line() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## ")[2].splitlines()
    assert [line for line in lines if len(line) > 100] == []
    assert [line for line in lines if line.startswith(" ")] == []
