from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.lock import Locked, Production
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.versions import find_python, poetry_constraint
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def look(root: Path, app_dir: str = ".", wheels: tuple[str, ...] = (), **given: str) -> Detection:
    repository = Repository(root)
    found = Detection()
    dockerfiles = [path for path in repository.files if path.endswith("Dockerfile")]
    locked = Production(packages={"x": Locked(name="x", version="1", wheels=wheels)}, path="uv.lock", direct={})
    find_python(Project(repository, app_dir, given), found, dockerfiles, locked)
    return found


@pytest.mark.parametrize(
    ("path", "text", "version", "line"),
    [
        (".python-version", "3.12.4\n", "3.12", 1),
        (".python-version", "# local\ncpython-3.11\n", "3.11", 2),
        ("runtime.txt", "python-3.11.9", "3.11", 1),
        (".tool-versions", "nodejs 20\npython 3.12.1\n", "3.12", 2),
        ("mise.toml", "[tools]\npython = '3.12'\n", "3.12", 2),
        ("Pipfile", "[requires]\npython_version = '3.11'\n", "3.11", 2),
        ("Dockerfile", "FROM python:3.12-slim\n", "3.12", 1),
        ("Dockerfile", "FROM ghcr.io/astral-sh/uv:python3.12-bookworm-slim AS b\nFROM b\n", "3.12", 1),
        ("Dockerfile", "FROM tiangolo/uvicorn-gunicorn-fastapi:python3.11\n", "3.11", 1),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.10'\n", "3.13", 2),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.10,<3.12'\n", "3.11", 2),
        ("pyproject.toml", "[project]\nrequires-python = '~=3.11'\n", "3.13", 2),
        ("pyproject.toml", "[project]\nrequires-python = '==3.12.*'\n", "3.12", 2),
        ("pyproject.toml", "[project]\nrequires-python = '>=3.14'\n", "3.14", 2),
        ("pyproject.toml", "[project]\nrequires-python = '>3.10,!=3.13.*,<4'\n", "3.12", 2),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.9'\n", "3.13", 2),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '~3.11'\n", "3.11", 2),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '3.11.7'\n", "3.11", 2),
        ("setup.cfg", "[options]\npython_requires = >=3.10, <3.13\n", "3.12", 2),
    ],
)
def test_the_version_and_its_line(repo: Repo, path: str, text: str, version: str, line: int) -> None:
    found = look(repo({path: text}))
    assert found.answers["python_version"] == version
    assert (found.evidence["python_version"].path, found.evidence["python_version"].line) == (path, line)


def test_a_pin_wins_over_a_dockerfile_and_the_conflict_is_said(repo: Repo) -> None:
    found = look(repo({".python-version": "3.12", "Dockerfile": "FROM python:3.11"}))
    assert found.answers["python_version"] == "3.12"
    assert any(".python-version:1 asks for Python 3.12, Dockerfile:1 for 3.11" in text for text in found.warnings)


def test_a_pin_that_is_not_allowed_is_left_out_and_said(repo: Repo) -> None:
    found = look(repo({".python-version": "3.10", "pyproject.toml": "[project]\nrequires-python = '>=3.12'\n"}))
    assert found.answers["python_version"] == "3.13"
    assert any("requires-python >=3.12 in pyproject.toml does not allow" in text for text in found.warnings)


def test_a_version_that_is_not_offered_is_said(repo: Repo) -> None:
    found = look(repo({".python-version": "3.8"}))
    assert "python_version" not in found.answers
    assert any("which is not offered" in text for text in found.warnings)


def test_a_limit_that_nothing_meets_cannot_be_told(repo: Repo) -> None:
    found = look(repo({"pyproject.toml": "[project]\nrequires-python = '<3.9'\n"}))
    assert [unknown.key for unknown in found.unknown] == ["python_version"]


def test_a_limit_that_cannot_be_read_is_said(repo: Repo) -> None:
    found = look(repo({"pyproject.toml": "[project]\nrequires-python = 'three'\n"}))
    assert "pyproject.toml:2" in found.warnings[0]


def test_a_pin_in_a_folder_above_counts(repo: Repo) -> None:
    assert look(repo({".python-version": "3.11", "api/x": ""}), "api").answers["python_version"] == "3.11"


def test_the_first_version_with_wheels_for_all_is_taken(repo: Repo) -> None:
    root = repo({"pyproject.toml": "[project]\nrequires-python = '>=3.10'\n"})
    found = look(root, wheels=("x-1-cp311-cp311-manylinux1_x86_64.whl", "x-1-cp312-cp312-manylinux1_x86_64.whl"))
    assert found.answers["python_version"] == "3.12"
    assert "x 1 has no wheel for 3.13" in found.evidence["python_version"].note
    assert found.warnings == []


def test_without_a_wheel_for_the_pinned_version_the_build_compiles_and_that_is_said(repo: Repo) -> None:
    found = look(repo({".python-version": "3.13"}), wheels=("x-1-cp311-cp311-manylinux1_x86_64.whl",))
    assert found.answers["python_version"] == "3.13"
    assert "no wheel for Python 3.13" in found.warnings[0]


@pytest.mark.parametrize(
    ("text", "specifiers"),
    [
        ("^3.9", [">=3.9,<4"]),
        ("~3.11.2", [">=3.11.2,<3.12"]),
        (">=3.9,<3.13", [">=3.9,<3.13"]),
        (">=3.9 <3.13", [">=3.9,<3.13"]),
        ("3.11", ["==3.11.*"]),
        ("*", [""]),
        ("~3.10 || 3.12.*", [">=3.10,<3.11", "==3.12.*"]),
    ],
)
def test_poetrys_constraints(text: str, specifiers: list[str]) -> None:
    assert list(poetry_constraint(text)) == specifiers
