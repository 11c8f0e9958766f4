from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.workspace import find_workspace, members, workspace_root
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
ROOT = (
    "[tool.uv.workspace]\nmembers = ['services/*', 'libs/**']\nexclude = ['services/old']\n"
    "[tool.uv.sources]\nbase = {workspace = true}\n"
)
FILES = {
    "pyproject.toml": ROOT,
    "services/api/pyproject.toml": "[project]\nname = 'api'\ndependencies = ['Core_Lib>=1', 'httpx']\n"
    "[tool.uv.sources]\ncore-lib = {workspace = true}\n",
    "services/old/pyproject.toml": "[project]\nname = 'old'\n",
    "services/web/pyproject.toml": "[project]\nname = 'web'\n",
    "libs/x/core/pyproject.toml": "[project]\nname = 'core-lib'\ndependencies = ['base']\n",
    "libs/base/pyproject.toml": "[project]\nname = 'base'\n",
    "other/pyproject.toml": "[project]\nname = 'other'\n",
}


def test_members_are_what_the_patterns_name_and_do_not_exclude(repo: Repo) -> None:
    assert members(Repository(repo(FILES)), ".") == ["libs/base", "libs/x/core", "services/api", "services/web"]


def test_a_member_knows_its_root(repo: Repo) -> None:
    repository = Repository(repo(FILES))
    assert workspace_root(repository, "services/api") == "."
    assert workspace_root(repository, "services/old") is None
    assert workspace_root(repository, "other") is None
    assert workspace_root(repository, ".") is None


def test_the_context_is_the_root_and_only_needed_members_are_packages(repo: Repo) -> None:
    found = Detection()
    find_workspace(Project(Repository(repo(FILES)), "services/api"), found, ".")
    assert found.answers["context"] == "."
    assert found.answers["workspace_members"] == ["libs/base", "libs/x/core", "services/web"]
    assert found.answers["workspace_packages"] == ["libs/base", "libs/x/core"]
    assert found.evidence["context"].where == "pyproject.toml:2"


def test_a_workspace_below_the_root_cannot_be_told(repo: Repo) -> None:
    found = Detection()
    files = {f"py/{path}": text for path, text in FILES.items()}
    find_workspace(Project(Repository(repo(files)), "py/services/api"), found, "py")
    assert [unknown.key for unknown in found.unknown] == ["context"]
