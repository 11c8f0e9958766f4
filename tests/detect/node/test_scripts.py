from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("scripts", "name"),
    [
        ({"build": "next build"}, "build"),
        ({"build": "npm run gen && npm run build:next", "gen": "x", "build:next": "next build"}, "build"),
        ({"build": "run-s a build:*", "build:app": "next  build"}, "build:app"),
        ({"compile": "cross-env X=1 next build --turbopack"}, "compile"),
    ],
)
def test_the_script_that_ends_in_next_build_is_found(look_at: Any, scripts: dict[str, str], name: str) -> None:
    found, problem = look_at(package={"scripts": scripts})
    assert (found.answers["build_script"], problem) == (name, None)


def test_no_such_script_is_refused(look_at: Any) -> None:
    problem = look_at(package={"scripts": {"dev": "next dev"}})[1]
    assert problem
    assert '"build": "next build"' in problem.remedy


def test_several_are_a_choice(look_at: Any) -> None:
    problem = look_at(package={"scripts": {"a": "next build", "b": "next build"}})[1]
    assert problem
    assert "-d build_script=a\n-d build_script=b" in problem.remedy


def test_a_build_that_does_not_show_it_is_warned_of(look_at: Any) -> None:
    found, problem = look_at({"next.config.js": ""}, {"scripts": {"build": "node build.js"}})
    assert problem is None
    assert any("does not show that it runs `next build`" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("start", "port"),
    [
        ("next start -p 4000", 4000),
        ("next start --port=4000", 4000),
        ("PORT=4000 next start", 4000),
        ("next start", None),
    ],
)
def test_the_start_script_names_a_port(look_at: Any, start: str, port: int | None) -> None:
    found, _ = look_at(package={"scripts": {"build": "next build", "start": start}})
    assert found.answers.get("port") == port


def test_a_dockerfile_names_one_and_a_low_one_is_refused(look_at: Any) -> None:
    found, _ = look_at({"Dockerfile": "FROM node:24\nEXPOSE 4000\n"})
    assert (found.answers["port"], found.evidence["port"].where) == (4000, "Dockerfile:2")
    found, _ = look_at({"Dockerfile": "FROM node:24\nEXPOSE 80\n"})
    assert "port" not in found.answers
    assert any("port 80" in text for text in found.warnings)


@pytest.mark.parametrize("start", ["node server.js", "NODE_ENV=production node ./server.js", "tsx src/server.ts"])
def test_a_server_of_its_own_is_said_to_be_left_out(look_at: Any, start: str) -> None:
    found, _ = look_at(package={"scripts": {"build": "next build", "start": start}})
    assert any("a server of its own" in text for text in found.warnings)
