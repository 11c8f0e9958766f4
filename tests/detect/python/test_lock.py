from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.python.lock import Production, production
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


def test_a_deeply_nested_json_lock_is_an_error(repo: Repo) -> None:
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


PYLOCK = """\
lock-version = "1.0"
requires-python = ">=3.11"
[[packages]]
name = "sqlalchemy"
version = "2.1.9"
[[packages.wheels]]
name = "sqlalchemy-2.1.9-cp313-cp313-manylinux_2_17_x86_64.whl"
[[packages]]
name = "core"
vcs = { type = "git", url = "ssh://git@host.example/acme/core.git", commit-id = "0" }
[[packages]]
name = "pytest"
version = "8"
marker = "'dev' in dependency_groups"
"""


def test_the_standard_lock_is_read(repo: Repo) -> None:
    root = repo({"pylock.toml": PYLOCK, "pyproject.toml": "[project]\nname = 'x'\ndependencies = ['SQLAlchemy']"})
    found = production(Project(Repository(root), "."), "pip", "pylock.toml", "")
    assert sorted(found.packages) == ["core", "sqlalchemy"]
    assert found.packages["sqlalchemy"].wheels == ("sqlalchemy-2.1.9-cp313-cp313-manylinux_2_17_x86_64.whl",)
    assert found.packages["core"].git == "ssh://git@host.example/acme/core.git"
    assert (found.is_lock, found.requires_python, list(found.direct)) == (True, ">=3.11", ["sqlalchemy"])


def test_forks_of_one_distribution_have_the_wheels_of_all(repo: Repo) -> None:
    wheel = "h/numpy-{0}-{1}-{1}-manylinux1_x86_64.whl"
    fork = f"[[package]]\nname = 'numpy'\nversion = '{{0}}'\nwheels = [{{{{ url = '{wheel}' }}}}]\n"
    root = repo(
        {
            "uv.lock": fork.format("2.2.6", "cp310") + fork.format("2.5.2", "cp313"),
            "pyproject.toml": "[project]\nname = 'x'\ndependencies = ['numpy']\n",
        }
    )
    found = production(Project(Repository(root), "."), "uv", "", "uv.lock")
    assert len(found.packages["numpy"].wheels) == 2


def test_markers_say_what_is_installed_on_a_python(repo: Repo) -> None:
    root = repo(
        {
            "uv.lock": """\
                [[package]]
                name = "core"
                dependencies = [
                    { name = "backport", marker = "python_full_version < '3.12'" },
                    { name = "pywin32", marker = "sys_platform == 'win32'" },
                ]
                [[package]]
                name = "backport"
                [[package]]
                name = "pywin32"
                """,
            "pyproject.toml": "[project]\nname = 'x'\ndependencies = ['core']\n",
        }
    )
    found = production(Project(Repository(root), "."), "uv", "", "uv.lock")
    assert found.installed_on("3.11") == {"core", "backport"}
    assert found.installed_on("3.13") == {"core"}
