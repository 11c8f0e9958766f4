"""System packages: for the build, for the image, or no longer needed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.adopt.adopting import found, read

START = 'CMD ["uvicorn", "orders.main:app"]\n'


def _answers(*lines: str, **known: Any) -> tuple[list[str], list[str]]:
    adoption = read("FROM python:3.13-slim\n" + "\n".join(lines) + "\n" + START, **known)
    return adoption.answers.get("build_packages", []), adoption.answers.get("runtime_packages", [])


@pytest.mark.parametrize(
    ("package", "build", "run"),
    [
        ("gcc", ["gcc"], []),
        ("libpq5", [], ["libpq5"]),
        ("libpq-dev", ["libpq-dev"], ["libpq5"]),
        ("libunheard-dev", ["libunheard-dev"], ["libunheard-dev"]),
        ("ffmpeg=7:5.1", [], ["ffmpeg"]),
        ("libgl1-mesa-glx", [], ["libgl1"]),
        ("vim", [], ["vim"]),
        ("python3-pip", [], []),
    ],
)
def test_a_package_goes_where_it_is_needed(package: str, build: list[str], run: list[str]) -> None:
    assert _answers(f"RUN apt-get update && apt-get install -y {package}") == (build, run)


def test_what_is_answered_before_stays() -> None:
    assert _answers("RUN apt-get install -y git", build_packages=["gcc"])[0] == ["gcc", "git"]


def test_what_a_later_step_removes_is_of_the_build_alone() -> None:
    lines = ("RUN apt-get install -y libfoo libbar", "RUN apt-get purge -y libbar")
    assert _answers(*lines) == (["libbar"], ["libfoo"])


def test_curl_of_the_health_check_alone_is_dropped() -> None:
    install = "RUN apt-get install -y curl"
    health = "HEALTHCHECK CMD curl -f http://localhost:8000/health"
    assert _answers(install, health) == ([], [])
    assert _answers(install)[1] == ["curl"]
    assert _answers(install, health, "COPY . .", "RUN curl -o /x https://example.com")[1] == ["curl"]


def test_alpine_s_names_become_debian_s_and_what_has_none_is_a_doubt() -> None:
    adoption = read(f"FROM python:3.13-alpine\nRUN apk add --no-cache libpq openblas\n{START}")
    assert adoption.answers["runtime_packages"] == ["libpq5"]
    assert found(adoption)["openblas"][0] == "dropped"
    assert any("openblas" in doubt for doubt in adoption.doubts)


def test_a_group_for_the_build_is_of_the_build_alone() -> None:
    adoption = read(f"FROM python:3.13-alpine\nRUN apk add -t .deps gcc libffi-dev\n{START}")
    assert adoption.answers["build_packages"] == ["gcc", "libffi-dev"]
    assert "runtime_packages" not in adoption.answers


def test_alpine_stays_alpine_for_next_js_unless_an_answer_changes_it() -> None:
    text = "FROM node:24-alpine\nRUN apk add --no-cache bash tzdata\nCMD npm start\n"
    assert read(text, kind="nextjs-standalone").answers["flavor"] == "alpine"
    assert "bash" in read(text, kind="nextjs-standalone").answers["runtime_packages"]
    other = read(text, kind="nextjs-standalone", flavor="slim")
    assert "flavor" not in other.answers
    assert other.answers["runtime_packages"] == ["tzdata"]
