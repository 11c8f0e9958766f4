"""Tiny templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from dockertpl.template.environment import Template
from dockertpl.template.source import TemplateSource

MakeTemplate: TypeAlias = Callable[..., Template]

_HEAD = "_subdirectory: project\n_envops: {undefined: jinja2.StrictUndefined, trim_blocks: true, lstrip_blocks: true}\n"
_ANSWERS = "project/{{ _copier_conf.answers_file }}.jinja"


@pytest.fixture
def make_template(tmp_path: Path, write_files: Callable[[Path, Mapping[str, str]], Path]) -> MakeTemplate:
    """`make_template(QUESTIONS, {PATH: TEXT})` writes a template with an answers file and reads it."""

    def make(questions: str = "", files: Mapping[str, str] | None = None) -> Template:
        root = tmp_path / "template"
        write_files(
            root,
            {"copier.yml": _HEAD + questions, _ANSWERS: "{{ _copier_answers | to_nice_yaml -}}", **(files or {})},
        )
        return Template(TemplateSource(root=root, src_path=str(root), commit=None))

    return make
