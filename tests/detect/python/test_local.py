"""Detection finds local packages in every form that a package manager has for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockertpl.detect import detect
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.groups import production_groups
from dockertpl.detect.python.local import find_local_packages
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
LIBRARY = {"libs/common/pyproject.toml": "[project]\nname = 'common'\ndependencies = ['base']\n"}
MAIN = "from fastapi import FastAPI\napp = FastAPI()\n"
UV = "[project]\ndependencies = ['common']\n[tool.uv.sources]\ncommon = {0}\n"


def look(root: Path, manager: str, *, app_dir: str = ".", context: str = "") -> Detection:
    found = Detection()
    project = Project(Repository(root), app_dir)
    find_local_packages(project, found, manager, project.at("requirements.txt"), None, context or app_dir)
    return found


@pytest.mark.parametrize(
    ("manager", "file", "text"),
    [
        ("uv", "pyproject.toml", UV.format("{path = 'libs/common', editable = true}")),
        ("uv", "pyproject.toml", UV.format("{workspace = true}\n[tool.uv.workspace]\nmembers = ['libs/*']")),
        ("pyproject", "pyproject.toml", UV.format("{path = './libs/common'}")),
        ("uv", "pyproject.toml", UV.format("[{path = 'libs/common', marker = \"sys_platform != 'win32'\"}]")),
        ("poetry", "pyproject.toml", "[tool.poetry.dependencies]\ncommon = {path = 'libs/common', develop = true}\n"),
        ("poetry", "pyproject.toml", "[tool.poetry.group.db.dependencies]\ncommon = {path = 'libs/common'}\n"),
        ("pdm", "pyproject.toml", "[project]\ndependencies = ['common @ file:///${PROJECT_ROOT}/libs/common']\n"),
        ("pipenv", "Pipfile", "[packages]\ncommon = {path = './libs/common', editable = true}\n"),
        ("pip", "requirements.txt", "./libs/common\n"),
        ("pip", "requirements.txt", "-e ./libs/common[extra]  # ours\n"),
        ("pip", "requirements.txt", "--editable=libs/common\n"),
        ("pip", "requirements.txt", "file:./libs/common ; python_version > '3'\n"),
        ("pip", "requirements.txt", "common @ file:./libs/common\n"),
    ],
)
def test_a_package_by_its_path_is_found(repo: Repo, manager: str, file: str, text: str) -> None:
    found = look(repo({**LIBRARY, file: text}), manager)
    assert found.answers["local_packages"] == ["libs/common"]
    assert found.evidence["local_packages"].path == file
    assert found.unknown == []


def test_a_local_package_brings_those_that_it_needs(repo: Repo) -> None:
    library = LIBRARY["libs/common/pyproject.toml"] + "[tool.uv.sources]\nbase = {path = '../base'}\n"
    files = {"libs/common/pyproject.toml": library, "libs/base/pyproject.toml": "[project]\nname = 'base'\n"}
    found = look(repo({**files, "pyproject.toml": UV.format("{path = 'libs/common'}")}), "uv")
    assert found.answers["local_packages"] == ["libs/base", "libs/common"]


def test_the_root_of_a_workspace_names_every_member(repo: Repo) -> None:
    root = UV.format("{workspace = true}\n[tool.uv.workspace]\nmembers = ['libs/*']")
    other = {"libs/other/pyproject.toml": "[project]\nname = 'other'\n"}
    found = look(repo({**LIBRARY, **other, "pyproject.toml": root}), "uv")
    assert found.answers["workspace_members"] == ["libs/common", "libs/other"]
    assert found.answers["local_packages"] == ["libs/common"]


@pytest.mark.parametrize("line", ["-e .", "--editable=.[server]", "."])
def test_a_requirement_on_the_project_itself_is_not_a_local_package(repo: Repo, line: str) -> None:
    files = {"requirements.txt": f"fastapi\n{line}\n", "pyproject.toml": "[project]\nname = 'shop'\n"}
    found = look(repo(files), "pip")
    assert found.answers == {"requirements_self": line}


def test_a_requirement_on_a_project_without_a_manifest_stops(repo: Repo) -> None:
    found = look(repo({"requirements.txt": "-e .\n", "setup.py": ""}), "pip")
    assert [(unknown.key, unknown.blocks) for unknown in found.unknown] == [("requirements_self", True)]


@pytest.mark.parametrize(
    ("manager", "text"),
    [
        ("uv", UV.format("{path = '/srv/common'}")),
        ("uv", UV.format("{path = '../../common'}")),
        ("poetry", "[tool.poetry.dependencies]\ncommon = {path = '../libs/common'}\n"),
    ],
)
def test_a_package_outside_of_the_build_context_stops(repo: Repo, manager: str, text: str) -> None:
    found = look(repo({**LIBRARY, "api/pyproject.toml": text}), manager, app_dir="api")
    assert [(unknown.key, unknown.blocks) for unknown in found.unknown] == [("local_packages", True)]
    assert "local_packages" not in found.answers


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"requirements.txt": "./wheels/common-1.0-py3-none-any.whl\n"}, "wheels/common-1.0-py3-none-any.whl"),
        (
            {"requirements.txt": "common @ file:./wheels/common-1.0-py3-none-any.whl\n"},
            "wheels/common-1.0-py3-none-any.whl",
        ),
        ({"requirements.txt": "-r base.txt\n", "base.txt": "--find-links ./wheels\ncommon\n"}, "wheels"),
        (
            {"uv.lock": "version = 1\n", "pyproject.toml": UV.format("{path = 'wheels/common-1.0-py3-none-any.whl'}")},
            "wheels/common-1.0-py3-none-any.whl",
        ),
        ({"uv.lock": "version = 1\n", "pyproject.toml": "[project]\n[tool.uv]\nfind-links = ['./wheels']\n"}, "wheels"),
    ],
)
def test_wheels_of_the_repository_are_there_when_packages_are_installed(
    repo: Repo, files: dict[str, str], place: str
) -> None:
    found = detect(repo({"wheels/common-1.0-py3-none-any.whl": "", "main.py": MAIN, **files}))
    assert found.answers["install_files"] == [place]
    assert not [unknown for unknown in found.unknown if unknown.key in ("local_packages", "install_files")]


def test_a_wheel_that_is_not_there_stops_with_its_line(repo: Repo) -> None:
    found = detect(repo({"requirements.txt": "./common-1.0-py3-none-any.whl\n", "main.py": MAIN}))
    (unknown,) = [unknown for unknown in found.unknown if unknown.key == "install_files"]
    assert unknown.blocks
    assert "requirements.txt:1 uses a package from ./common-1.0-py3-none-any.whl" in unknown.message


def test_a_package_beside_the_application_makes_the_repository_the_context_for_uv(repo: Repo) -> None:
    files = {**LIBRARY, "api/pyproject.toml": UV.format("{path = '../libs/common', editable = true}")}
    found = look(repo(files), "uv", app_dir="api")
    wanted = {"context": ".", "own_lock": True, "local_packages": ["libs/common"]}
    assert {key: found.answers[key] for key in wanted} == wanted
    assert found.evidence["context"].where == "api/pyproject.toml:4"


def test_the_paths_of_what_lies_beside_the_application_are_of_the_root(repo: Repo) -> None:
    files = {**LIBRARY, "api/pyproject.toml": UV.format("{path = '../libs/common'}"), "api/uv.lock": "version = 1\n"}
    found = detect(repo({**files, "api/main.py": MAIN}))
    assert (found.answers["context"], found.answers["local_packages"]) == (".", ["libs/common"])


def test_with_the_repository_as_context_it_is_there(repo: Repo) -> None:
    files = {**LIBRARY, "api/pyproject.toml": UV.format("{path = '../libs/common'}")}
    assert look(repo(files), "uv", app_dir="api", context=".").answers["local_packages"] == ["libs/common"]


@pytest.mark.parametrize(
    ("manager", "data", "groups"),
    [
        ("poetry", {"tool": {"poetry": {"group": {"db": {}, "dev": {}, "docs": {"optional": True}}}}}, ["db"]),
        ("poetry", {"tool": {"poetry": {"group": {"unit-tests": {}, "ml": {"optional": True}}}}}, []),
        ("uv", {"tool": {"uv": {"default-groups": ["dev", "server"]}}}, ["server"]),
        ("uv", {"tool": {"uv": {"default-groups": "all"}}, "dependency-groups": {"lint": [], "db": []}}, ["db"]),
        ("uv", {"dependency-groups": {"db": []}}, []),
        ("pdm", {"dependency-groups": {"db": []}}, []),
    ],
)
def test_production_has_the_groups_that_the_manager_installs_unasked(
    manager: str, data: dict[str, Any], groups: list[str]
) -> None:
    assert production_groups(data, manager) == groups
