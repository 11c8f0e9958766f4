from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.dynamic import find_install_files, requirements_files
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
SETTINGS = """
[project]
name = "shop"
dynamic = ["dependencies", "optional-dependencies", "version"]
[tool.setuptools.dynamic]
dependencies = {file = ["requirements.txt"]}
optional-dependencies.server = {file = "deps/server.txt"}
version = {attr = "shop.__version__"}
"""
FILES = {
    "api/pyproject.toml": SETTINGS,
    "api/requirements.txt": "-r base.txt\n",
    "api/base.txt": "fastapi\n",
    "api/deps/server.txt": "uvicorn\n",
    "api/src/shop/__init__.py": "",
}


def found_in(root: Path, manager: str = "uv", context: str = "api") -> Detection:
    found = Detection()
    find_install_files(Project(Repository(root), "api"), found, manager, context)
    return found


def test_what_the_check_of_a_lock_reads_is_known(repo: Repo) -> None:
    names = ["base.txt", "deps/server.txt", "requirements.txt", "src/shop/__init__.py"]
    root = repo(FILES)
    assert found_in(root).answers["install_files"] == names
    assert found_in(root, context=".").answers["install_files"] == [f"api/{name}" for name in names]


def test_other_managers_and_manifests_that_name_their_dependencies_read_none(repo: Repo) -> None:
    assert found_in(repo(FILES), "poetry").answers == {}
    plain = SETTINGS.replace('"dependencies", "optional-dependencies", ', "")
    assert found_in(repo({**FILES, "api/pyproject.toml": plain})).answers == {}


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "absent.txt"])
def test_no_file_outside_of_the_folder_is_named(repo: Repo, name: str) -> None:
    text = SETTINGS.replace("requirements.txt", name)
    root = repo({"api/pyproject.toml": text, "outside.txt": "x\n"})
    assert requirements_files(Project(Repository(root), "api")) == []
    assert found_in(root).answers == {}


APP = {"shop/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}
REQUIREMENTS = {"base.txt": "fastapi==1\n", "server.txt": "uvicorn==1\n"}


@pytest.mark.parametrize(
    "files",
    [
        {
            "pyproject.toml": "[project]\nname = 'shop'\ndynamic = ['dependencies']\n"
            "[tool.setuptools.dynamic]\ndependencies = {file = ['base.txt', 'server.txt']}\n"
        },
        {"Dockerfile": "FROM python:3.13\nRUN pip install -r base.txt -r server.txt\n"},
    ],
)
def test_all_the_files_that_are_installed_are_read_and_installed(repo: Repo, files: dict[str, str]) -> None:
    found = detect(repo({**APP, **REQUIREMENTS, **files}))
    assert (found.answers["requirements_file"], found.answers["requirements_more"]) == ("base.txt", ["server.txt"])
    assert found.answers["server"] == "uvicorn"
    assert not any("no ASGI server" in warning for warning in found.warnings)


def test_one_file_that_includes_the_other_is_enough(repo: Repo) -> None:
    files = {"Dockerfile": "FROM python:3.13\nRUN pip install -r server.txt -r base.txt\n"}
    found = detect(repo({**APP, **REQUIREMENTS, **files, "server.txt": "-r base.txt\nuvicorn==1\n"}))
    assert found.answers["requirements_file"] == "server.txt"
    assert "requirements_more" not in found.answers
