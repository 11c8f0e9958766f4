from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("files", "package", "node", "where"),
    [
        ({".nvmrc": "v24.1.0\n"}, {}, "24", ".nvmrc:1"),
        ({".nvmrc": "lts/jod"}, {}, "22", ".nvmrc:1"),
        ({".nvmrc": "lts/*"}, {}, "26", ".nvmrc:1"),
        ({".node-version": "22"}, {}, "22", ".node-version:1"),
        ({".tool-versions": "python 3.13\nnodejs 24.0.0\n"}, {}, "24", ".tool-versions:2"),
        ({"mise.toml": "[env]\nnode = '26'\n[tools]\nnode = '22'\n"}, {}, "22", "mise.toml:4"),
        ({".mise.toml": "[tools]\nnode = { version = '24.1', postinstall = 'x' }\n"}, {}, "24", ".mise.toml:2"),
        ({}, {"volta": {"node": "22.1.0"}}, "22", "package.json:10"),
        ({}, {"engines": {"node": ">=20 <25"}}, "24", "package.json:10"),
        ({"Dockerfile": "FROM node:22-slim\n"}, {}, "22", "Dockerfile:1"),
    ],
)
def test_each_place_names_a_node(look_at: Any, files: Any, package: Any, node: str, where: str) -> None:
    found, problem = look_at(files, package)
    assert problem is None
    assert (found.answers["node_version"], found.evidence["node_version"].where) == (node, where)


def test_without_a_wish_the_default_holds(look_at: Any) -> None:
    assert "node_version" not in look_at()[0].answers


@pytest.mark.parametrize(
    ("files", "package"), [({".nvmrc": "18"}, {}), ({".nvmrc": "20.1.0"}, {}), ({}, {"engines": {"node": "18.x"}})]
)
def test_a_node_older_than_next_allows_is_refused(look_at: Any, files: Any, package: Any) -> None:
    problem = look_at(files, package)[1]
    assert problem
    assert "Next.js 16 needs 20.9.0 or newer" in problem.message
    assert look_at(files, package, given={"node_version": "24"})[1] is None


def test_one_that_is_not_offered_becomes_the_nearest_newer_one_that_engines_allow(look_at: Any) -> None:
    found, problem = look_at({".nvmrc": "20"}, {"engines": {"node": ">=20 <22 || 24"}})
    assert (found.answers["node_version"], problem) == ("24", None)
    assert any(".nvmrc:1 asks for Node.js 20" in text and "uses 24" in text for text in found.warnings)


def test_conflicting_places_are_reported(look_at: Any) -> None:
    found, _ = look_at({".nvmrc": "22", ".node-version": "24"}, {"engines": {"node": ">=24"}})
    assert found.answers["node_version"] == "22"
    assert any("engines" in text or "does not allow" in text for text in found.warnings)
    assert any(".node-version:1 for 24" in text for text in found.warnings)


def test_engines_that_cannot_be_read_are_left_out(look_at: Any) -> None:
    found, problem = look_at(package={"engines": {"node": "the newest!"}})
    assert problem is None
    assert any("not a valid version range" in text for text in found.warnings)


PNPM = {"package-lock.json": None, "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}


@pytest.mark.parametrize("files", [PNPM, {".npmrc": "engine-strict=true\n"}])
def test_engines_that_no_offered_node_fits_are_refused_where_the_manager_would_refuse(look_at: Any, files: Any) -> None:
    problem = look_at(files, {"engines": {"node": "20.x"}})[1]
    assert problem
    assert "20.x, but the template offers 26, 24, 22" in problem.message


def test_a_pin_that_engines_do_not_allow_is_refused_where_the_manager_would_refuse(look_at: Any) -> None:
    problem = look_at({**PNPM, ".nvmrc": "22"}, {"engines": {"node": ">=24"}})[1]
    assert problem
    assert ".nvmrc:1 asks for Node.js 22, which package.json:10 (>=24) does not allow" in problem.message


def test_next_12_gets_the_newest_node_that_it_builds_on(look_at: Any) -> None:
    found, _ = look_at(package={"dependencies": {"next": "12.3.4"}})
    assert (found.answers["node_version"], found.evidence["node_version"].note) == (
        "24",
        "the newest that Next.js 12 builds on",
    )
    assert look_at({".nvmrc": "26"}, {"dependencies": {"next": "12.3.4"}})[0].answers["node_version"] == "24"
    assert "node_version" not in look_at(package={"dependencies": {"next": "13.5.0"}})[0].answers
