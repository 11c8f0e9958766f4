from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.git_version import find_git_version
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
PRETEND = "SETUPTOOLS_SCM_PRETEND_VERSION"


def look(root: Path, layout: str = "package", packages: tuple[str, ...] = ()) -> Detection:
    found = Detection()
    find_git_version(Project(Repository(root), ".", {"layout": layout}), found, packages)
    return found


def manifest(requires: str, more: str = "", project: str = "dynamic = ['version']") -> str:
    return f"[project]\nname = 'x'\n{project}\n[build-system]\nrequires = ['hatchling', '{requires}']\n{more}"


@pytest.mark.parametrize(
    ("requires", "more", "variable"),
    [
        ("hatch-vcs", "[tool.hatch.version]\nsource = 'vcs'\n", PRETEND),
        ("setuptools-scm[toml]>=8", "", PRETEND),
        ("setuptools_scm", "", PRETEND),
        ("flit-scm", "", PRETEND),
        ("pdm-backend", "[tool.pdm.version]\nsource = 'scm'\n", "PDM_BUILD_SCM_VERSION"),
        ("pdm-backend", "[tool.pdm.version]\nsource = 'file'\n", None),
        ("versioningit", "[tool.hatch.version]\nsource = 'versioningit'\n", "PKG-INFO"),
        (
            "uv-dynamic-versioning",
            "[tool.hatch.version]\nsource = 'uv-dynamic-versioning'\n",
            "UV_DYNAMIC_VERSIONING_BYPASS",
        ),
        (
            "poetry-dynamic-versioning>=1,<2",
            "[tool.poetry-dynamic-versioning]\nenable = true\n",
            "POETRY_DYNAMIC_VERSIONING_BYPASS",
        ),
        ("poetry-dynamic-versioning", "", None),
        ("hatch-fancy-pypi-readme", "", None),
    ],
)
def test_the_variable_of_each_backend(repo: Repo, requires: str, more: str, variable: str | None) -> None:
    found = look(repo({"pyproject.toml": manifest(requires, more)}))
    assert found.answers.get("version_from_git") == variable
    if variable:
        assert found.evidence["version_from_git"].where == "pyproject.toml:5"


def test_a_version_that_is_written_down_needs_no_git(repo: Repo) -> None:
    root = repo({"pyproject.toml": manifest("setuptools-scm", project="version = '1.0'")})
    assert look(root).answers == {}


def test_what_is_not_built_needs_no_version(repo: Repo) -> None:
    assert look(repo({"pyproject.toml": manifest("setuptools-scm")}), layout="flat").answers == {}


def test_members_of_the_workspace_that_are_installed_count_too(repo: Repo) -> None:
    root = repo({"libs/core/pyproject.toml": manifest("setuptools-scm")})
    found = look(root, layout="flat", packages=("libs/core",))
    assert found.answers["version_from_git"] == PRETEND
    assert found.evidence["version_from_git"].path == "libs/core/pyproject.toml"
