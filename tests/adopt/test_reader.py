"""Reading a whole Dockerfile: the guide's case study, which file is the image, and what stops the reader."""

from __future__ import annotations

import pytest
from tests.adopt.adopting import found, read
from tests.samples import adopt_sample

from dockertpl import adopt
from dockertpl.errors import BadInputError

START = 'CMD ["uvicorn", "orders.main:app", "--port", "8000"]\n'


def test_the_case_study_of_the_guide_is_adopted_without_a_doubt() -> None:
    adoption = adopt.read(
        adopt_sample.old_dockerfile("guide-before"),
        path="Dockerfile",
        kind="python-fastapi",
        answers={"manager": "uv", "app": "orchestrator.main:app"},
    )
    assert adoption.doubts == ()
    assert adoption.regions == {}
    assert adoption.answers == {
        "python_version": "3.11",
        "server": "uvicorn",
        "app": "orchestrator.main:app",
        "port": 8000,
    }
    assert adoption.evidence["port"] == "Dockerfile:6"
    assert found(adoption)["--reload"] == ("dropped", "the stage dev reloads")
    assert found(adoption)["the extra dev"][0] == "dropped"
    better = " ".join(adoption.improvements)
    for words in ("instead of root", "health check", "no longer reloads", "no development dependencies", "mounts"):
        assert words in better


def test_only_services_are_adopted() -> None:
    with pytest.raises(BadInputError, match="only as a service"):
        read("FROM ubuntu\n", kind="sandbox-multi-runtime")


def test_an_image_of_something_else_is_a_doubt() -> None:
    assert "is unknown: check what it contains" in read("FROM ruby:3.4\nCMD ruby x.rb\n").doubts[0]


def test_several_images_are_a_doubt() -> None:
    text = f"FROM python:3.13 AS api\n{START}FROM python:3.13 AS worker\n{START}"
    assert "Several stages can be the image" in read(text).doubts[0]


def test_a_stage_for_development_is_not_the_image() -> None:
    text = f"FROM python:3.13 AS base\nENV A=1\nFROM base AS prod\n{START}FROM base AS dev\nENV B=2\nCMD pytest\n"
    adoption = read(text)
    assert "The last stage is called dev" in adoption.doubts[0]
    assert found(adoption)["ENV A"] == ("kept", "environment")
    assert found(adoption)["ENV B"] == ("dropped", "the image does not use the stage dev")


def test_a_base_of_others_is_a_doubt() -> None:
    assert any("ONBUILD" in doubt for doubt in read(f"FROM python:3.13\nONBUILD RUN x\n{START}").doubts)


def test_code_elsewhere_is_left_a_link_where_something_names_its_folder() -> None:
    text = f"FROM python:3.13\nWORKDIR /srv/code\nCOPY . .\n{START}"
    assert "image" not in read(text).regions
    named = read(text + "ENV DATA=/srv/code/data\n")
    assert "RUN mkdir -p /srv && ln -s /app /srv/code" in named.regions["image"]


def test_the_last_command_counts_and_the_others_are_named() -> None:
    adoption = read(f"FROM python:3.13\nCMD bash\n{START}")
    assert found(adoption)["CMD bash"] == ("dropped", "the CMD of line 3 replaces it")
    assert adoption.answers["port"] == 8000


def test_arguments_ahead_of_the_first_stage_name_images() -> None:
    text = f"ARG V=3.12\nARG UNUSED=1\nFROM python:${{V}}-slim\n{START}"
    assert read(text).answers["python_version"] == "3.12"
    assert found(read(text))["ARG UNUSED"] == ("dropped", "nothing reads it")


def test_an_improvement_needs_its_reason() -> None:
    text = f"FROM python:3.13-slim\nUSER app\nHEALTHCHECK CMD curl http://localhost/\n{START}"
    better = " ".join(read(text, ignore="").improvements)
    assert "instead of root" not in better
    assert "It has a health check" not in better
    assert "ignore file" not in better
    assert "no longer reloads" not in better
