"""FROM: versions, releases and flavors as answers."""

from __future__ import annotations

import pytest
from tests.adopt.adopting import found, read

from dockertpl.adopt.bases import kind_of

PYTHON, NODE = "python-fastapi", "nextjs-standalone"


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("python", PYTHON),
        ("python:3.12.4-slim-bookworm@sha256:abc", PYTHON),
        ("docker.io/library/python:3.13-alpine3.20", PYTHON),
        ("ghcr.io/astral-sh/uv:0.9-python3.13-bookworm-slim", PYTHON),
        ("node:lts-alpine", NODE),
        ("node:22.1.0-bookworm-slim", NODE),
        ("public.ecr.aws/docker/library/node:24", NODE),
        ("ubuntu:24.04", ""),
        ("acme/python:3.12", ""),
        ("scratch", ""),
    ],
)
def test_the_name_of_an_image_decides_its_kind(image: str, kind: str) -> None:
    assert kind_of(image)[0] == kind


@pytest.mark.parametrize(
    ("image", "answers"),
    [
        ("python:3.12.4-slim-bookworm", {"python_version": "3.12", "debian_release": "bookworm"}),
        ("python:3.12", {"python_version": "3.12"}),
        ("python:3-slim", {}),
        ("ghcr.io/astral-sh/uv:python3.13-trixie-slim", {"python_version": "3.13", "debian_release": "trixie"}),
    ],
)
def test_what_a_python_image_says_is_an_answer(image: str, answers: dict[str, str]) -> None:
    given = read(f'FROM {image}\nCMD ["bash"]\n').answers
    assert {key: given[key] for key in ("python_version", "debian_release") if key in given} == answers


def test_a_python_that_is_not_offered_is_a_doubt_and_a_node_is_not() -> None:
    assert read("FROM python:3.8\nCMD uvicorn orders.main:app\n").doubts
    adoption = read("FROM node:18\nCMD npm start\n", kind=NODE)
    assert adoption.answers["node_version"] == "22"
    assert adoption.doubts == ()
    known = read("FROM node:18\nCMD npm start\n", kind=NODE, node_version="24")
    assert "node_version" not in known.answers


def test_a_digest_and_a_platform_are_named() -> None:
    things = found(read("FROM --platform=linux/amd64 python:3.13@sha256:ab\nCMD uvicorn orders.main:app\n"))
    assert things["--platform=linux/amd64"][0] == "dropped"
    assert things["the base image's digest"][0] == "dropped"


def test_a_base_with_a_start_of_its_own_is_a_doubt() -> None:
    assert read("FROM tiangolo/uvicorn-gunicorn-fastapi:python3.11\nCOPY . .\n").doubts
