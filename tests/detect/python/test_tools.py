from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.tools import TOOLS, find_manager_version, known, newest_python
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
ROOT = Path(__file__).resolve().parents[3]


def look(root: Path, manager: str, **given: str) -> Detection:
    found = Detection()
    find_manager_version(Project(Repository(root), ".", given), found, manager, None)
    return found


def uv(text: str) -> dict[str, str]:
    return {"pyproject.toml": f"[tool.uv]\nrequired-version = '{text}'\n"}


def poetry(text: str) -> dict[str, str]:
    return {"pyproject.toml": f"[tool.poetry]\nrequires-poetry = '{text}'\n"}


@pytest.mark.parametrize(
    ("manager", "files", "version"),
    [
        ("uv", uv(">=0.5"), None),
        ("uv", uv(">=0.10,<0.12"), "0.11.33"),
        ("uv", uv("~=0.9.5"), "0.9.30"),
        ("uv", uv(">=0.9.5,<0.9.8"), "0.9.5"),
        ("uv", uv("==0.8.3"), "0.8.3"),
        ("uv", uv("0.8.3"), "0.8.3"),
        ("uv", uv(">=0.14.1"), "0.14.1"),
        ("uv", {"uv.toml": "required-version = '<0.8'\n"}, "0.7.22"),
        ("uv", {".tool-versions": "uv 0.11.2\n"}, "0.11.2"),
        ("uv", {"mise.toml": "[tools]\nuv = '0.11'\n"}, "0.11.33"),
        ("uv", {"mise.toml": "[tools]\nuv = 'latest'\n"}, None),
        ("uv", uv(">=0.10,<0.12") | {".tool-versions": "uv 0.10.4"}, "0.10.4"),
        ("uv", uv(">=0.10,<0.12") | {".tool-versions": "uv 0.13.1"}, "0.11.33"),
        ("pip", uv("<0.12"), "0.11.33"),
        ("pyproject", uv("<0.12"), "0.11.33"),
        ("poetry", poetry(">=2.0,<2.3"), "2.2.1"),
        ("poetry", poetry("^2.0"), None),
        ("poetry", poetry("~2.1"), "2.1.4"),
        ("poetry", poetry("^1.8 || 2.0.*"), "2.0.1"),
        ("poetry", poetry("*"), None),
        ("poetry", {".tool-versions": "poetry 1.8.3"}, "1.8.3"),
        ("poetry", {"mise.toml": "[tools]\n'pipx:poetry' = '2.1.4'"}, "2.1.4"),
        ("poetry", uv("<0.12"), None),
        ("pdm", {".tool-versions": "pdm 2.22.4"}, "2.22.4"),
        ("pipenv", {".tool-versions": "pipenv 2024.4.1"}, "2024.4.1"),
    ],
)
def test_the_newest_version_that_the_project_allows(
    repo: Repo, manager: str, files: dict[str, str], version: str | None
) -> None:
    found = look(repo(files), manager)
    assert found.unknown == []
    assert found.answers.get("manager_version") == version
    if version:
        assert found.evidence["manager_version"].line


@pytest.mark.parametrize(
    ("manager", "files", "message"),
    [
        ("uv", uv("<0.3"), "pyproject.toml:2 asks for uv <0.3"),
        ("uv", {".tool-versions": "uv 0.2.1"}, ".tool-versions:1 asks for uv 0.2.1"),
        ("poetry", poetry("^1.1,<1.2"), "pyproject.toml:2 asks for poetry ^1.1,<1.2"),
        ("poetry", poetry(">3"), "pyproject.toml:2 asks for poetry >3"),
    ],
)
def test_a_range_without_a_known_version_is_refused(
    repo: Repo, manager: str, files: dict[str, str], message: str
) -> None:
    found = look(repo(files), manager)
    (problem,) = found.unknown
    assert (problem.key, problem.blocks, found.answers) == ("manager_version", True, {})
    assert problem.message.startswith(message)
    assert "-d manager_version=" in problem.remedy


def test_an_answer_wins_over_the_range(repo: Repo) -> None:
    found = look(repo(uv("<0.3")), "uv", manager_version="0.2.37")
    assert (found.answers, found.unknown) == ({}, [])


def test_an_unreadable_range_is_reported(repo: Repo) -> None:
    found = look(repo(uv("soon")), "uv")
    assert (found.answers, found.unknown) == ({}, [])
    assert "pyproject.toml:2" in found.warnings[0]


def test_the_newest_known_version_is_of_the_template_s_series() -> None:
    versions = yaml.safe_load((ROOT / "templates/lib/versions.yml").read_text())
    for tool in set(TOOLS.values()):
        newest = known()[tool]["releases"][0]
        assert newest.rpartition(".")[0] == versions[tool].rpartition(".")[0], tool


def test_old_managers_do_not_install_on_new_pythons() -> None:
    assert newest_python("poetry", "1.8.5") == "3.12"
    assert newest_python("poetry", "2.2.1") == "3.14"
    assert newest_python("poetry", "") == "3.15"
    assert newest_python("uv", "0.13.9") == ""
