from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.lock import Locked, Production
from dockertpl.detect.python.pins import alternatives
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.versions import find_python
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def look(
    root: Path, app_dir: str = ".", wheels: tuple[str, ...] | None = None, newest: str = "", pin: str = "", **given: str
) -> Detection:
    repository = Repository(root)
    found = Detection()
    dockerfiles = [path for path in repository.files if path.endswith("Dockerfile")]
    name, _, version = pin.partition("==")
    package = Locked(name=name, version=version) if pin else Locked(name="x", version="1", wheels=wheels or ())
    locked = Production(packages={package.name: package}, path="uv.lock", direct={}, is_lock=wheels is not None)
    find_python(Project(repository, app_dir, given), found, dockerfiles, locked, newest)
    return found


@pytest.mark.parametrize(
    ("path", "text", "version", "line"),
    [
        (".python-version", "3.12.4\n", "3.12", 1),
        (".python-version", "# local\ncpython-3.11\n", "3.11", 2),
        ("runtime.txt", "python-3.11.9", "3.11", 1),
        (".tool-versions", "nodejs 20\npython 3.12.1\n", "3.12", 2),
        (".tool-versions", "python 3.12.1 3.11.2\n", "3.12", 1),
        ("mise.toml", "[tools]\npython = '3.12'\n", "3.12", 2),
        (".mise.toml", "[tools]\npython = ['3.12.4', '3.11']\n", "3.12", 2),
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


def test_a_pin_wins_over_a_dockerfile_and_the_conflict_is_reported(repo: Repo) -> None:
    found = look(repo({".python-version": "3.12", "Dockerfile": "FROM python:3.11"}))
    assert found.answers["python_version"] == "3.12"
    assert any(".python-version:1 asks for Python 3.12, Dockerfile:1 for 3.11" in text for text in found.warnings)


def test_a_pin_that_is_not_allowed_is_left_out_and_reported(repo: Repo) -> None:
    found = look(repo({".python-version": "3.10", "pyproject.toml": "[project]\nrequires-python = '>=3.12'\n"}))
    assert found.answers["python_version"] == "3.13"
    assert any("requires-python >=3.12 in pyproject.toml does not allow" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("path", "text", "where"),
    [
        (".python-version", "3.8", ".python-version:1 asks for Python 3.8"),
        ("runtime.txt", "python-2.7.18", "runtime.txt:1 asks for Python 2.7"),
        (".tool-versions", "python 3.16.0", ".tool-versions:1 asks for Python 3.16"),
        ("Pipfile", "[requires]\npython_version = '3.9'", "Pipfile:2 asks for Python 3.9"),
        (
            "pyproject.toml",
            "[project]\nrequires-python = '<3.9'\n",
            "pyproject.toml:2: requires-python <3.9 allows no",
        ),
    ],
)
def test_a_python_that_is_not_offered_is_refused(repo: Repo, path: str, text: str, where: str) -> None:
    found = look(repo({path: text}))
    (problem,) = found.unknown
    assert (problem.key, problem.blocks, found.answers) == ("python_version", True, {})
    assert problem.message.startswith(where)
    assert "-d python_version=" in problem.remedy


def test_an_answer_wins_over_what_is_not_offered(repo: Repo) -> None:
    assert look(repo({".python-version": "3.8"}), python_version="3.11").answers == {}


def test_an_old_dockerfile_gets_the_nearest_newer_python_and_a_report(repo: Repo) -> None:
    found = look(repo({"Dockerfile": "FROM python:3.9-slim"}))
    assert found.answers["python_version"] == "3.10"
    assert "Dockerfile:1 runs Python 3.9" in found.warnings[0]


@pytest.mark.parametrize("text", ["latest", "system", "pypy3.10-7.3.12", "ref:main"])
def test_a_name_that_is_not_a_version_asks_for_none(repo: Repo, text: str) -> None:
    assert look(repo({".tool-versions": f"python {text}"})).answers == {}


def test_an_unreadable_limit_is_reported(repo: Repo) -> None:
    found = look(repo({"pyproject.toml": "[project]\nrequires-python = 'three'\n"}))
    assert "pyproject.toml:2" in found.warnings[0]


def test_a_pin_in_a_folder_above_counts(repo: Repo) -> None:
    assert look(repo({".python-version": "3.11", "api/x": ""}), "api").answers["python_version"] == "3.11"


def test_the_newest_python_that_a_lock_has_wheels_for_is_taken(repo: Repo) -> None:
    root = repo({"pyproject.toml": "[project]\nrequires-python = '>=3.10'\n"})
    compiled = tuple(f"x-1-cp3{minor}-cp3{minor}-manylinux1_x86_64.whl" for minor in (11, 12, 13, 14))
    found = look(root, wheels=compiled)
    assert found.answers["python_version"] == "3.14"
    assert "x 1 has no wheel for 3.15" in found.evidence["python_version"].note
    assert look(root, wheels=("x-1-py3-none-any.whl",)).answers["python_version"] == "3.15"


def test_a_lock_that_names_no_files_proves_nothing(repo: Repo) -> None:
    root = repo({"pyproject.toml": "[project]\nrequires-python = '>=3.10'\n"})
    assert look(root, wheels=()).answers["python_version"] == "3.13"


def test_the_manager_has_to_install_on_it_too(repo: Repo) -> None:
    root = repo({"pyproject.toml": "[project]\nrequires-python = '>=3.10'\n"})
    assert look(root, wheels=("x-1-py3-none-any.whl",), newest="3.12").answers["python_version"] == "3.12"


@pytest.mark.parametrize(
    ("pin", "version"),
    [("psycopg2-binary==2.9.5", "3.11"), ("psycopg2-binary==2.9.9", "3.12"), ("psycopg2-binary==2.9.13", None)],
)
def test_a_bare_pin_takes_the_newest_python_that_it_has_wheels_for(repo: Repo, pin: str, version: str | None) -> None:
    assert look(repo({}), pin=pin).answers.get("python_version") == version


def test_without_a_lock_the_one_python_of_the_workflows_counts(repo: Repo) -> None:
    step = "jobs:\n  test:\n    steps:\n      - with:\n          python-version: '{}'\n"
    root = repo({".github/workflows/test.yml": step.format("3.11")})
    assert look(root).answers["python_version"] == "3.11"
    assert look(root, wheels=("x-1-py3-none-any.whl",)).answers["python_version"] == "3.15"
    (root / ".github/workflows/lint.yml").write_text(step.format("3.12"))
    assert look(root).answers == {}


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
def test_the_alternatives_of_a_range(text: str, specifiers: list[str]) -> None:
    assert list(alternatives(text)) == specifiers


@pytest.mark.parametrize(
    ("manager", "text", "says"),
    [
        ("uv", '[project]\nname = "x"\nrequires-python = "==3.13.2"\n', "==3.13.*"),
        ("poetry", '[tool.poetry.dependencies]\npython = "3.13.2"\n', "~3.13"),
    ],
)
def test_a_single_release_ends_where_the_manager_holds_to_it(repo: Repo, manager: str, text: str, says: str) -> None:
    root = repo({"pyproject.toml": text})
    (problem,) = look(root, manager=manager).unknown
    assert (problem.key, problem.blocks) == ("python_version", True)
    assert f"Write {says} there" in problem.remedy
    assert look(root, manager="pip").answers["python_version"] == "3.13"
