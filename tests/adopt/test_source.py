"""Reading a Dockerfile: the lines of each instruction, and what is refused."""

from __future__ import annotations

import importlib
import time
from typing import Any

import pytest
from tests.adopt.adopting import read

from dockertpl.adopt.source import LONGEST, steps
from dockertpl.errors import BadInputError

pytestmark = pytest.mark.slow

CONTINUED = """\
# syntax=docker/dockerfile:1

# why it stands on this
FROM python:3.13-slim
# first
# second
RUN echo one \\
    # in between
    && echo two
"""


def test_a_step_has_its_own_lines_and_the_comment_above() -> None:
    first, second = steps(CONTINUED, "Dockerfile")
    assert (first.line, first.comment) == (4, "# why it stands on this")
    assert second.verbatim == "# first\n# second\nRUN echo one \\\n    # in between\n    && echo two"


def test_a_parser_directive_is_not_a_comment() -> None:
    assert steps("# escape=\\\nFROM python:3.13-slim\n", "Dockerfile")[0].comment == ""


def test_the_lines_of_a_file_from_windows_have_no_carriage_return() -> None:
    assert steps("FROM python:3.13\r\nRUN a \\\r\n  && b\r\n", "Dockerfile")[1].text == "RUN a \\\n  && b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a valid Dockerfile"),
        ("# nothing\n", "is not a valid Dockerfile"),
        ("FROM\n", "sub/Dockerfile:1: FROM names no image"),
        ("FROM python:3.13\nENV A\n", "is not a valid Dockerfile"),
        ("FROM python:3.13\nRUN a <<EOF\n", "is not a valid Dockerfile"),
        ("FROM python:3.13\nFOO bar\n", "sub/Dockerfile:2: FOO is not a Dockerfile instruction"),
        ("RUN a\n", "sub/Dockerfile:1: a Dockerfile must begin with FROM"),
        ("ARG A\n", "sub/Dockerfile:1: a Dockerfile must begin with FROM"),
    ],
)
@pytest.mark.parametrize("reader", ["dockerfile", "dockertpl.adopt.plain_reader"])
def test_what_docker_would_not_build_is_refused_with_its_line(
    text: str, message: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = importlib.import_module(reader)
    monkeypatch.setattr("dockertpl.adopt.source.import_module", lambda name: parser)
    with pytest.raises(BadInputError) as caught:
        steps(text, "sub/Dockerfile")
    assert message in caught.value.message
    assert caught.value.remedy


def test_a_machine_generated_file_is_refused_with_an_explanation() -> None:
    with pytest.raises(BadInputError, match="longer than 192 KiB"):
        steps("FROM python:3.13\n" + "#" * LONGEST, "Dockerfile")


@pytest.mark.parametrize(
    "line",
    [
        "RUN apt install -y gcc",
        "RUN pip install a&&b",
        "RUN apt-get update && apt-get install -y gcc && pip install foo && something unknown",
        "ENV A_VARIABLE=value",
        "COPY one two",
        "ARG NAME=value",
        "LABEL a=b",
        "EXPOSE 8000",
        "VOLUME /data",
        'RUN echo "${A:-$(b)}" | c || (d; e)',
    ],
)
def test_a_file_of_ten_thousand_lines_or_as_long_as_one_may_be_is_answered_within_two_seconds(line: str) -> None:
    lines = min(10_000, (LONGEST - 100) // (len(line) + 1))
    text = "FROM python:3.13-slim\n" + f"{line}\n" * lines + 'CMD ["uvicorn", "orders.main:app"]\n'
    begin = time.process_time()
    assert len(read(text).items) >= 10
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    "line", ["a && " * 1600, "(" * 8000, "$(" * 4000, "x" * 8000, "{ ;" * 2600, "<" * 8000, "a &&"]
)
def test_one_step_as_long_as_a_file_may_be_is_answered_within_two_seconds(line: str) -> None:
    body = "".join(f"{line} \\\n" for _ in range(LONGEST // (len(line) + 4) - 1))
    begin = time.process_time()
    read(f"FROM python:3.13-slim\nRUN {body}  a\nCMD uvicorn orders.main:app\n")
    assert time.process_time() - begin < 2


def test_a_machine_generated_line_is_refused_with_an_explanation() -> None:
    with pytest.raises(BadInputError, match="Dockerfile:2 has more than 8192 characters"):
        steps("FROM python:3.13\nRUN " + "a" * 9000, "Dockerfile")


def test_without_mobys_parser_the_plain_reader_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = steps(CONTINUED, "Dockerfile")

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("dockertpl.adopt.source.import_module", missing)
    assert steps(CONTINUED, "Dockerfile") == before


def test_the_parser_is_loaded_only_when_it_is_asked_for() -> None:
    assert "dockerfile" not in vars(importlib.import_module("dockertpl.adopt.source"))
