"""Folders, names and branches stay strings in every rendered file, even if YAML would read them as another type."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled


def _rendered(**data: Any) -> dict[str, Any]:
    template = Template(bundled())
    tree = render(template, resolve(template, folder_name="x", data=data))
    return {path: yaml.safe_load(file.content) for path, file in tree.items() if path.endswith((".yml", ".yaml"))}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["python-fastapi", "nextjs-standalone"])
@pytest.mark.parametrize("word", ["1", "on", "no", "null", "0x1", "1e3", "12_3", "1.0"])
def test_a_word_stays_a_word(kind: str, word: str) -> None:
    files = _rendered(kind=kind, app_dir=word, name=word, branch=word, compose=True)
    workflow = files[f".github/workflows/{word}-image.yml"]
    # YAML 1.1 reads the key `on` as true.
    assert workflow[True]["push"]["branches"] == [word]
    steps = workflow["jobs"]["image"]["steps"]
    contexts = [step["with"]["context"] for step in steps if "context" in step.get("with", {})]
    assert contexts and set(contexts) == {word}
    assert list(files[f"{word}/compose.yaml"]["services"]) == [word.replace(".", "-")]


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_a_scope_is_a_folder(ci: str) -> None:
    files = _rendered(kind="nextjs-standalone", ci=ci, app_dir="@scope/app", name="app", compose=True, context=".")
    text = str(files[".github/workflows/app-image.yml" if ci == "github" else ".gitlab/app-image.yml"])
    assert "'@scope/app/**" in text
    assert files["@scope/app/compose.yaml"]["services"]["app"]["build"]["dockerfile"] == "@scope/app/Dockerfile"
