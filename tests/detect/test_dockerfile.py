from __future__ import annotations

import pytest

from dockertpl.detect.dockerfile import base_of, expand, instructions, split, stages, words

TEXT = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM --platform=linux/amd64 python:${VERSION}-slim AS base
ENV PORT=8000 HOST="0.0.0.0"

FROM base
# a comment
RUN apt-get update \\
    # inside
    && apt-get install -y libpq5

RUN <<EOF
pip install x
EOF
CMD ["sh", "-c", "exec uvicorn app.main:app --port $PORT"]
"""


def test_instructions_have_their_first_line() -> None:
    found = [(step.name, step.line) for step in instructions(TEXT)]
    assert found == [("ARG", 2), ("FROM", 3), ("ENV", 4), ("FROM", 6), ("RUN", 8), ("RUN", 12), ("CMD", 15)]


def test_continuation_lines_and_heredocs_are_joined() -> None:
    runs = [step.value for step in instructions(TEXT) if step.name == "RUN"]
    assert runs[0] == "apt-get update && apt-get install -y libpq5"
    assert "pip install x" in runs[1]


def test_stages_know_their_base_through_arguments_and_stages() -> None:
    first, last = stages(TEXT)
    assert first.base == "python:3.12-slim"
    assert base_of(last, stages(TEXT)) == first
    assert first.environment() == {"PORT": "8000", "HOST": "0.0.0.0"}


def test_a_stage_that_is_its_own_base_ends() -> None:
    loop = stages("FROM a AS b\nFROM b AS a\n")
    assert base_of(loop[1], loop).base in ("a", "b")


@pytest.mark.parametrize(
    "text", ["", "FROM", "FROM \\", "RUN <<EOF\nnever ended", "\\\n\\\n", "[]", "FROM a AS", "ENV A"]
)
def test_a_file_that_is_not_a_dockerfile_does_not_crash(text: str) -> None:
    stages(text)


def test_the_backtick_may_be_the_escape() -> None:
    (step,) = instructions("# escape=`\nRUN a `\n b")
    assert step.value == "a b"


@pytest.mark.parametrize(
    ("text", "value"), [("$A", "1"), ("${A}", "1"), ("${B:-2}", "2"), ("${B-2}", "2"), ("${B}", "${B}"), ("$B", "$B")]
)
def test_variables_have_their_value_or_default(text: str, value: str) -> None:
    assert expand(text, {"A": "1"}) == value


def test_words_of_every_form() -> None:
    assert words('["uvicorn", "a b"]') == ["uvicorn", "a b"]
    assert words("exec uvicorn 'a b'") == ["exec", "uvicorn", "a b"]
    assert words('["sh", "-c", "uvicorn x:y"]') == ["sh", "-c", "uvicorn", "x:y"]
    assert words("sh -c 'uvicorn x:y'") == ["sh", "-c", "uvicorn", "x:y"]
    assert words('["not", 1]') != ["not", 1]


def test_separators_are_words_and_open_quotes_no_crash() -> None:
    assert split("a&&b;c") == ["a", "&&", "b", ";", "c"]
    assert split("it's") == ["it's"]
