from __future__ import annotations

import pytest

from dockertpl.detect.bases import images, mentions

DIGEST = "sha256:" + 64 * "a"
TEXT = f"""\
# FROM python:3.13-slim is what python:3.13-slim says
ARG PYTHON_IMAGE=python:3.13-slim@{DIGEST}
ARG UV_IMAGE="ghcr.io/astral-sh/uv:0.13"
ARG DEBIAN_MIRROR
ARG TAG=1
FROM ${{UV_IMAGE}} AS uv
FROM --platform=$BUILDPLATFORM \\
    # python:3.13-slim in a comment
    python:3.13-slim AS build
COPY --from=python:3.13-slim /x /x
COPY python:3.13-slim /y
RUN --mount=type=bind,from=python:3.13-slim@{DIGEST},target=/p echo python:3.13-slim
FROM other:${{TAG}}
FROM build
FROM scratch
FROM $UNKNOWN
LABEL org.opencontainers.image.base.name="python:3.13-slim"
ARG PYTHON_LATER_IMAGE=later:1
"""


def test_the_images_are_those_of_from_and_of_image_arguments_ahead_of_it() -> None:
    assert images(TEXT) == ["python:3.13-slim", "ghcr.io/astral-sh/uv:0.13", "other:1"]
    assert images("") == []


def test_an_image_that_only_copy_names_by_its_argument_is_one() -> None:
    assert images("ARG TOOL_IMAGE=tool:1\nFROM a:1\nCOPY --from=x /x /x\n") == ["tool:1", "a:1"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_mentions_are_where_instructions_take_the_image(end: str) -> None:
    text = TEXT.replace("\n", end)
    found = mentions(text, "python:3.13-slim")
    assert [(text[m.start : m.end].partition("@")[0], m.digest) for m in found] == [
        ("python:3.13-slim", DIGEST),
        ("python:3.13-slim", None),
        ("python:3.13-slim", None),
        ("python:3.13-slim", DIGEST),
    ]
    lines = [text.count("\n", 0, m.start) + 1 for m in found]
    assert lines == [2, 9, 10, 12]


@pytest.mark.parametrize(
    "line",
    [
        "FROM mirror.example.com/python:3",
        "FROM python:3.1",
        "FROM python:3-slim",
        "FROM my-python:3",
        "FROM python:3@sha256:short",
        "FROM python:30 AS x",
        "RUN python:3",
    ],
)
def test_longer_names_are_others(line: str) -> None:
    assert mentions(f"{line}\n", "python:3") == []


def test_lines_of_a_heredoc_are_not_instructions() -> None:
    assert mentions("FROM a:1\nRUN <<EOF\nFROM python:3\nEOF\n", "python:3") == []
