"""A default rendering is short: lines, stages, and programs in heredocs."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from tests.parity import by_us

from dockertpl.template.environment import Template
from dockertpl.template.source import bundled


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The size of a rendering.

    Attributes:
        lines: Lines of the Dockerfile.
        stages: `FROM`s of the Dockerfile.
        answers: Lines of the answers file.
        workflow: Lines of the GitHub workflow.
    """

    lines: int
    stages: int
    answers: int = 40
    workflow: int = 190


LIMITS = {
    "python-fastapi": Limit(lines=75, stages=4),
    "nextjs-standalone": Limit(lines=85, stages=5),
    "sandbox-multi-runtime": Limit(lines=140, stages=6),
    "shared-base": Limit(lines=30, stages=1, workflow=210),
}
LONGEST_LINE = 120
LONGEST_PROGRAM = 12
PROGRAM = re.compile(r"<<'?EOF'?[^\n]*\n(.*?)\nEOF\n", re.DOTALL)


def _texts(kind: str) -> dict[str, str]:
    files = by_us(Template(bundled()), "shop", data={"kind": kind})
    return {path: file.content.decode() for path, file in files.items()}


@pytest.mark.parametrize("kind", LIMITS)
def test_the_default_files_are_short(kind: str) -> None:
    texts, limit = _texts(kind), LIMITS[kind]
    (dockerfile,) = (text for path, text in texts.items() if path.endswith("Dockerfile"))
    (workflow,) = (text for path, text in texts.items() if path.startswith(".github/"))
    assert len(dockerfile.splitlines()) <= limit.lines
    assert len(re.findall(r"^FROM ", dockerfile, re.MULTILINE)) <= limit.stages
    assert len(workflow.splitlines()) <= limit.workflow
    assert len(texts[".copier-answers.yml"].splitlines()) <= limit.answers


@pytest.mark.parametrize("kind", LIMITS)
def test_no_line_is_long_and_no_program_is_more_than_a_glance(kind: str) -> None:
    for path, text in _texts(kind).items():
        if not path.endswith(".json"):
            assert [line for line in text.splitlines() if len(line) > LONGEST_LINE] == [], path
        if path.endswith("Dockerfile"):
            assert [program for program in PROGRAM.findall(text) if program.count("\n") >= LONGEST_PROGRAM] == []
