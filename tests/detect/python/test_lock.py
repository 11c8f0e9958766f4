from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.python.lock import Locked, Production, has_linux_wheel, lacks_wheel, production
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository
from dockertpl.errors import BadInputError

Repo = Callable[[dict[str, str]], Path]
UV = """\
version = 1
[[package]]
name = "app"
source = { virtual = "." }
[[package]]
name = "SQLAlchemy"
version = "2"
dependencies = [{ name = "greenlet" }]
[package.optional-dependencies]
postgresql = [{ name = "psycopg2" }]
[[package]]
name = "greenlet"
wheels = [{ url = "host/greenlet-3-cp312-cp312-manylinux_2_17_x86_64.whl#x" }]
[[package]]
name = "psycopg2"
version = "2.9"
[[package]]
name = "pytest"
"""
POETRY = """\
[[package]]
name = "sqlalchemy"
version = "2"
[package.dependencies]
greenlet = "*"
[package.extras]
postgresql = ["psycopg2 (>=2)"]
[[package]]
name = "greenlet"
version = "3"
[[package]]
name = "psycopg2"
version = "2.9"
[[package]]
name = "pytest"
version = "8"
[metadata.files]
greenlet = [{file = "greenlet-3-cp312-cp312-manylinux_2_17_x86_64.whl", hash = "x"}]
"""
PDM = """\
[[package]]
name = "sqlalchemy"
dependencies = ["greenlet!=0.4"]
[[package]]
name = "sqlalchemy"
extras = ["postgresql"]
dependencies = ["psycopg2>=2"]
[[package]]
name = "greenlet"
files = [{file = "greenlet-3-cp312-cp312-manylinux_2_17_x86_64.whl", hash = "x"}]
[[package]]
name = "psycopg2"
[[package]]
name = "pytest"
"""
PROJECT = '[project]\nname = "app"\ndependencies = ["sqlalchemy[postgresql]"]\n[dependency-groups]\ndev = ["pytest"]\n'


def locked(root: Path, manager: str, lock: str) -> Production:
    return production(Project(Repository(root), "."), manager, "requirements.txt", lock)


@pytest.mark.parametrize(
    ("manager", "lock", "text"), [("uv", "uv.lock", UV), ("poetry", "poetry.lock", POETRY), ("pdm", "pdm.lock", PDM)]
)
def test_production_is_what_the_direct_ones_need_with_their_extras(
    repo: Repo, manager: str, lock: str, text: str
) -> None:
    found = locked(repo({"pyproject.toml": PROJECT, lock: text}), manager, lock)
    assert set(found.packages) == {"sqlalchemy", "greenlet", "psycopg2"}
    assert found.packages["greenlet"].wheels == ("greenlet-3-cp312-cp312-manylinux_2_17_x86_64.whl",)
    assert found.path == lock


def test_pipfile_lock_has_production_apart(repo: Repo) -> None:
    text = '{"default": {"Greenlet": {"version": "==3"}}, "develop": {"pytest": {}}}'
    found = locked(repo({"Pipfile": "", "Pipfile.lock": text}), "pipenv", "Pipfile.lock")
    assert {name: one.version for name, one in found.packages.items()} == {"greenlet": "3"}


def test_a_broken_lock_names_file_and_line(repo: Repo) -> None:
    with pytest.raises(BadInputError, match=r"Pipfile\.lock:2 is not valid JSON"):
        locked(repo({"Pipfile": "", "Pipfile.lock": "{\n"}), "pipenv", "Pipfile.lock")
    with pytest.raises(BadInputError, match=r"uv\.lock:1 is not valid TOML"):
        locked(repo({"uv.lock": "= 1"}), "uv", "uv.lock")


def test_a_deep_json_lock_is_an_error_and_no_crash(repo: Repo) -> None:
    with pytest.raises(BadInputError, match="nested too deeply"):
        locked(repo({"Pipfile.lock": "[" * 100_000}), "pipenv", "Pipfile.lock")


@pytest.mark.parametrize("text", ["", "package = 1", "[[package]]\nname = 1", "[package]\nname = 'x'"])
def test_an_odd_lock_falls_back_to_the_manifest(repo: Repo, text: str) -> None:
    found = locked(repo({"pyproject.toml": PROJECT, "uv.lock": text}), "uv", "uv.lock")
    assert (set(found.packages), found.path) == ({"sqlalchemy"}, "pyproject.toml")


def test_pinned_requirements_have_versions_and_lines(repo: Repo) -> None:
    found = locked(repo({"requirements.txt": "fastapi==1.2\n"}), "pip", "")
    assert found.packages["fastapi"].version == "1.2"
    assert found.place("fastapi", Repository(Path())) == ("requirements.txt", 1)


def test_a_transitive_one_has_its_line_in_the_lock(repo: Repo) -> None:
    root = repo({"pyproject.toml": PROJECT, "uv.lock": UV})
    found = locked(root, "uv", "uv.lock")
    assert found.place("psycopg2", Repository(root)) == ("uv.lock", 15)
    assert found.place("sqlalchemy", Repository(root)) == ("pyproject.toml", 3)


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("pyproject.toml", '[project]\ndependencies = [\n  "httpx",\n  "psycopg2 >= 2",\n]\n', 4),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\npsycopg2 = "^2.9"\n', 3),
        ("Pipfile", '[packages]\npsycopg2 = {version = "*"}\n', 2),
        ("setup.cfg", "[options]\ninstall_requires =\n    psycopg2>=2\n", 3),
    ],
)
def test_a_direct_one_has_its_line_in_the_manifest(repo: Repo, path: str, text: str, line: int) -> None:
    root = repo({path: text})
    assert locked(root, "uv", "").place("psycopg2", Repository(root)) == (path, line)


@pytest.mark.parametrize(
    ("wheels", "lacks"),
    [
        ((), False),
        (("x-1-py3-none-any.whl",), False),
        (("x-1-cp312-cp312-manylinux_2_17_x86_64.whl",), True),
        (("x-1-cp313-cp313-manylinux_2_17_x86_64.whl",), False),
        (("x-1-cp39-abi3-manylinux_2_17_x86_64.whl",), False),
        (("x-1-cp314-abi3-manylinux_2_17_x86_64.whl",), True),
        (("x-1-cp312-cp312-win_amd64.whl",), False),
        (("x-1-py2.py3-none-manylinux1_x86_64.whl",), False),
        (("x-1-cp313-cp313-musllinux_1_2_x86_64.whl", "x-1-cp312-cp312-manylinux1_x86_64.whl"), True),
    ],
)
def test_whether_there_is_a_wheel_for_python_3_13(wheels: tuple[str, ...], lacks: bool) -> None:
    assert lacks_wheel(Locked(name="x", wheels=wheels), "3.13") is lacks


def test_binary_wheels_for_linux_with_glibc() -> None:
    assert has_linux_wheel(Locked(name="x", wheels=("x-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",)))
    assert not has_linux_wheel(Locked(name="x", wheels=("x-1-py3-none-any.whl", "x-1-cp312-cp312-win_amd64.whl")))
    assert not has_linux_wheel(Locked(name="x", wheels=("x-1-cp312-cp312-musllinux_1_2_x86_64.whl",)))
