"""Stages: which ones reach the image, and what is known at the start of each."""

from __future__ import annotations

from dockertpl.adopt.source import steps
from dockertpl.adopt.stages import choose, named, split, unquoted, values_at_start

TEXT = """\
ARG V=3.13
FROM python:${V} AS base
ENV A=1 B=$V
ARG ONLY=here
FROM base AS builder
FROM base AS unused
FROM base AS final
COPY --from=builder /x /x
RUN --mount=type=bind,from=tool,source=/t,target=/t /t
"""


def test_what_the_image_copies_from_reaches_it() -> None:
    arguments, ahead, stages = split(steps(TEXT, "Dockerfile"))
    doubts: list[str] = []
    assert choose(stages, doubts).name == "final"
    assert [(one.name, one.final, one.builds) for one in stages] == [
        ("base", True, True),
        ("builder", False, True),
        ("unused", False, False),
        ("final", True, False),
    ]
    assert (arguments, len(ahead)) == ({"V": "3.13"}, 1)
    assert stages[0].image == "python:3.13"
    assert stages[3].root_image == "python:3.13"
    assert len(doubts) == 1


def test_a_stage_has_a_name_or_a_number() -> None:
    stages = split(steps(TEXT, "Dockerfile"))[2]
    assert named(stages, "BUILDER") is stages[1]
    assert named(stages, "2") is stages[2]
    assert named(stages, "9") is None
    assert named(stages, "nothing") is None


def test_a_stage_begins_with_the_variables_of_the_one_below_but_not_its_arguments() -> None:
    arguments, _, stages = split(steps(TEXT, "Dockerfile"))
    assert values_at_start(stages[1], arguments) == {"A": "1", "B": "$V"}


def test_quotes_around_a_value_are_not_part_of_it() -> None:
    assert [unquoted(one) for one in ('"a b"', "'c'", "d\\ e", "f")] == ["a b", "c", "d e", "f"]
