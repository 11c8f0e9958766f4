"""Which layers belong to the base image: known, or not reported."""

import pytest

from dockertpl.commands.base_layers import Base, find_base
from dockertpl.engine.layer_cache import Layer


def layers(*instructions: str) -> list[Layer]:
    return [Layer(1, instruction, "sha256:1") for instruction in instructions]


BELOW = ("# debian.sh", "RUN set -eux", "COPY python /usr/local")
PLAIN = """\
ARG PYTHON_IMAGE=python:3.13-slim@sha256:1
FROM $PYTHON_IMAGE AS base
WORKDIR /app
FROM base AS build
RUN make
FROM base
WORKDIR /
COPY --from=build /app <<EOF /b/
RUN not an instruction
EOF
RUN true
USER 1
"""


@pytest.mark.parametrize(
    ("target", "build_args", "own", "base"),
    [
        (None, {}, ("WORKDIR /app", "COPY /app /b", "RUN true"), Base("python:3.13-slim", 3)),
        ("build", {}, ("WORKDIR /app", "RUN make"), Base("python:3.13-slim", 3)),
        ("base", {"PYTHON_IMAGE": "mirror/python:3.14"}, ("WORKDIR /app",), Base("mirror/python:3.14", 3)),
        # Another engine, or a squashed build: the layers do not match the Dockerfile.
        (None, {}, ("COPY /app /b", "RUN true"), None),
        (None, {}, ("WORKDIR /app", "RUN true", "COPY /app /b"), None),
        ("none", {}, ("WORKDIR /app",), None),
    ],
)
def test_the_bases_layers_are_those_below_the_dockerfiles_own(
    target: str | None, build_args: dict[str, str], own: tuple[str, ...], base: Base | None
) -> None:
    assert find_base(PLAIN, target, build_args, layers(*BELOW, *own)) == base


def test_a_name_that_only_the_build_knows_is_left_out() -> None:
    assert find_base("ARG BASE\nFROM $BASE\nRUN true\n", None, {}, layers("x", "RUN true")) == Base("", 1)


def test_an_image_from_scratch_has_no_layers_below() -> None:
    assert find_base("FROM scratch\nCOPY a /\n", None, {}, layers("COPY a /")) == Base("scratch", 0)


def test_a_dockerfile_without_a_stage_says_nothing() -> None:
    assert find_base("", None, {}, layers("x")) is None
