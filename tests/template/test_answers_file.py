"""The answers file holds the answers that a rendering needs, in groups, and no empty ones."""

from __future__ import annotations

import re

import pytest
import yaml
from tests.renderings import rendered

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

KINDS = ("python-fastapi", "nextjs-standalone", "sandbox-multi-runtime", "shared-base")


def _answers_file(tree: dict[str, str]) -> str:
    return next(text for path, text in tree.items() if path.startswith(".copier-answers"))


def _texts(answers: dict[str, object]) -> dict[str, str]:
    template = Template(bundled())
    resolved = resolve(template, folder_name="repository", data=answers)
    return {path: file.content.decode() for path, file in render(template, resolved).items()}


@pytest.mark.slow
def test_what_is_read_back_gives_the_same_files() -> None:
    template = Template(bundled())
    for answers, tree in rendered():
        text = _answers_file({path: file.content.decode() for path, file in tree.items()})
        stored = {key: value for key, value in yaml.safe_load(text).items() if not key.startswith("_")}
        again = resolve(template, folder_name="another", stored=stored)
        differing = {
            key: (value, again.values[key])
            for key, value in answers.values.items()
            if key != "customize" and again.values[key] != value and key not in answers.hidden
        }
        assert differing == {}
        assert render(template, again) == tree


def test_it_is_short_and_grouped() -> None:
    for kind in KINDS:
        lines = _answers_file(_texts({"kind": kind})).splitlines()
        assert len(lines) <= 40
        assert [line for line in lines[2:] if line.startswith("#")] == [
            "# The application and how it runs", "# What the image contains", "# CI and registry",
        ]  # fmt: skip
        assert not [line for line in lines if re.search(r": (\[\]|\{\}|'')$", line)]


def test_what_opens_other_questions_is_not_stored() -> None:
    assert "customize" not in _answers_file(_texts({"customize": ["ci"]}))
