"""The old ignore file: what the new one covers, what is kept, and what the new build needs."""

from __future__ import annotations

import pathspec
import pytest
from tests.adopt.adopting import found, read, render_adopted

from dockertpl.adopt.ignore import covered

START = 'FROM python:3.13\nCMD ["uvicorn", "orders.main:app"]\n'


@pytest.mark.parametrize("kind", ["python-fastapi", "nextjs-standalone"])
def test_what_is_said_to_be_covered_is_covered(kind: str) -> None:
    adoption = read(START, kind=kind, ignore="")
    lines = render_adopted(adoption, kind, {}).ignore_file.splitlines()
    spec = pathspec.GitIgnoreSpec.from_lines(line for line in lines if line and not line.startswith("#"))
    left = []
    for pattern in covered(kind):
        path = pattern.replace("*", "x").replace("[cod]", "c").replace("[co]", "c")
        left += [pattern] if not spec.match_file(path) and not spec.match_file(f"{path}/x") else []
    assert left == []


@pytest.mark.parametrize("kind", ["python-fastapi", "nextjs-standalone"])
def test_an_ignore_file_of_the_template_adds_nothing_to_another(kind: str) -> None:
    own = render_adopted(read(START, kind=kind, ignore=""), kind, {}).ignore_file
    assert read(START, kind=kind, ignore=own).ignored == ""


def test_comments_and_empty_lines_are_nothing() -> None:
    assert read(START, ignore="# a\n\n  \n").ignored == ""


def test_patterns_of_one_s_own_are_kept_in_their_order() -> None:
    assert read(START, ignore="data/\n**/*.csv\n!keep.csv\n").ignored == "data/\n**/*.csv\n!keep.csv\n"


@pytest.mark.parametrize("pattern", ["*", "**", "requirements.txt", "*.txt", "orders", "/orders/", "*.toml"])
def test_a_pattern_that_takes_away_what_the_build_reads_is_dropped(pattern: str) -> None:
    adoption = read(START, ignore=pattern + "\n")
    assert adoption.ignored == ""
    assert found(adoption)[f"ignore {pattern}"][0] == "dropped"


def test_what_is_kept_in_the_image_stays_in_the_context() -> None:
    text = "FROM python:3.13\nWORKDIR /app\nCOPY . .\nCOPY docker/run.sh /run.sh\nCMD uvicorn orders.main:app\n"
    assert read(text, ignore="docker\nother\n").ignored == "other\n"


def test_secrets_are_not_taken_back() -> None:
    assert read(START, ignore="!.env\n!.env.example\n").ignored == "!.env.example\n"


def test_patterns_are_relative_to_the_new_context() -> None:
    adoption = read(START, ignore="api/data\nother\n**/x\n", app_dir="api", context="api")
    assert adoption.ignored == "data\n**/x\n"
    assert found(adoption)["ignore other"][0] == "dropped"
