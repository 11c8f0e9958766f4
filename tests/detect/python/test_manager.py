from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.manager import Manager, find_manager
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository
from dockertpl.errors import NotDetectedError

Repo = Callable[[dict[str, str]], Path]
APP = "from fastapi import FastAPI\napp = FastAPI()\n"
PROJECT = "[project]\nname = 'x'\ndependencies = ['fastapi']\n"


def look(root: Path, workspace: str | None = None, **given: str) -> tuple[Manager, Detection]:
    repository = Repository(root)
    found = Detection()
    dockerfiles = [path for path in repository.files if path.endswith("Dockerfile")]
    return find_manager(Project(repository, ".", given), found, workspace, dockerfiles), found


@pytest.mark.parametrize(
    ("files", "name", "where"),
    [
        ({"pyproject.toml": PROJECT, "uv.lock": ""}, "uv", "uv.lock"),
        ({"pyproject.toml": PROJECT, "poetry.lock": ""}, "poetry", "poetry.lock"),
        ({"pyproject.toml": PROJECT, "pdm.lock": ""}, "pdm", "pdm.lock"),
        ({"Pipfile": "", "Pipfile.lock": "{}"}, "pipenv", "Pipfile.lock"),
        ({"requirements.txt": "fastapi==1\n"}, "pip", "requirements.txt"),
        ({"pyproject.toml": PROJECT, "pylock.toml": ""}, "pip", "pylock.toml"),
        ({"requirements.txt": "fastapi\n", "pylock.prod.toml": "", "pylock.dev.toml": ""}, "pip", "pylock.prod.toml"),
        ({"pyproject.toml": PROJECT, "uv.lock": "", "pylock.toml": ""}, "uv", "uv.lock"),
        ({"pyproject.toml": "[tool.ruff]\n", "requirements.txt": "fastapi==1\n"}, "pip", "requirements.txt"),
        ({"pyproject.toml": PROJECT, "requirements.txt": "fastapi==1\n"}, "pip", "requirements.txt"),
        ({"pyproject.toml": PROJECT, "uv.lock": "", "requirements.txt": "fastapi==1\n"}, "uv", "uv.lock"),
        (
            {
                "pyproject.toml": PROJECT,
                "requirements.txt": "fastapi\n",
                "Dockerfile": "FROM python\nRUN pip install -r requirements.txt",
            },
            "pip",
            "Dockerfile:2",
        ),
    ],
)
def test_the_lock_decides_the_package_manager(repo: Repo, files: dict[str, str], name: str, where: str) -> None:
    manager, found = look(repo(files))
    assert (manager.name, found.answers["manager"], found.evidence["manager"].where) == (name, name, where)
    assert not any("missing" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("files", "lock", "remedy"),
    [
        ({"pyproject.toml": f"{PROJECT}[tool.uv]\n"}, "uv.lock", "`uv lock` and commit uv.lock"),
        ({"pyproject.toml": "[tool.poetry]\nname='x'\n"}, "poetry.lock", "`poetry lock` and commit poetry.lock"),
        ({"pyproject.toml": f"{PROJECT}[tool.pdm]\n"}, "pdm.lock", "`pdm lock` and commit pdm.lock"),
        ({"Pipfile": "[packages]\n"}, "Pipfile.lock", "`pipenv lock` and commit Pipfile.lock"),
        # Such a file does not list what the application needs.
        (
            {"pyproject.toml": "[tool.poetry]\nname='x'\n", "requirements.txt": "mkdocs\n"},
            "poetry.lock",
            "`poetry lock`",
        ),
    ],
)
def test_a_manager_that_installs_from_a_lock_is_an_error_without_it(
    repo: Repo, files: dict[str, str], lock: str, remedy: str
) -> None:
    with pytest.raises(NotDetectedError, match=rf"^{lock} is missing, but \w+ installs from it\.$") as caught:
        look(repo(files))
    assert remedy in caught.value.remedy
    assert ("-d manager=pyproject" in caught.value.remedy) == ("[project]" in files.get("pyproject.toml", ""))


def test_a_manager_that_is_given_needs_its_lock_as_well(repo: Repo) -> None:
    with pytest.raises(NotDetectedError, match=r"^poetry\.lock is missing"):
        look(repo({"pyproject.toml": PROJECT}), manager="poetry")


def test_the_lock_of_a_workspace_is_missed_at_its_root(repo: Repo) -> None:
    root = repo({"pyproject.toml": "", "api/pyproject.toml": PROJECT})
    with pytest.raises(NotDetectedError, match=r"^uv\.lock is missing") as caught:
        find_manager(Project(Repository(root), "api"), Detection(), ".", [])
    assert "-d" not in caught.value.remedy


@pytest.mark.parametrize(
    ("files", "name", "warning"),
    [
        ({"pyproject.toml": PROJECT}, "pyproject", "`uv lock`"),
        ({"pyproject.toml": PROJECT, "requirements.txt": "fastapi\n"}, "pyproject", "`uv lock`"),
        ({"requirements.txt": "fastapi\nhttpx==1\n"}, "pip", "does not pin fastapi"),
        # A requirements file with the framework is installable when the manager's own lock is missing.
        ({"pyproject.toml": "[tool.poetry]\nname='x'\n", "requirements.txt": "fastapi\n"}, "pip", "does not pin"),
        ({"Pipfile": "[packages]\n", "requirements.txt": "-r base.txt\n", "base.txt": "fastapi\n"}, "pip", "pin"),
        # A manifest without dependencies, or without a server.
        ({"pyproject.toml": "[project]\nname = 'x'\n", "requirements.txt": "fastapi\n"}, "pip", "does not pin"),
        (
            {"pyproject.toml": "[project]\nname='x'\ndependencies=['rich']\n", "requirements.txt": "fastapi\n"},
            "pip",
            "does not pin",
        ),
    ],
)
def test_what_names_no_lock_is_installed_as_it_is_with_a_warning(
    repo: Repo, files: dict[str, str], name: str, warning: str
) -> None:
    _, found = look(repo(files))
    assert found.answers["manager"] == name
    assert any(warning in text for text in found.warnings)


@pytest.mark.parametrize(
    "settings",
    [
        "[tool.setuptools.dynamic]\ndependencies = {file = ['deps/web.in']}\n",
        "[tool.setuptools.dynamic]\ndependencies = {file = 'deps/web.in'}\n",
        "[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ['deps/web.in']\n",
    ],
)
def test_dependencies_that_the_build_reads_from_a_file_are_installed_from_it(repo: Repo, settings: str) -> None:
    manifest = f"[project]\nname = 'x'\ndynamic = ['version', 'dependencies']\n{settings}"
    manager, _ = look(repo({"pyproject.toml": manifest, "deps/web.in": "fastapi\n", "requirements.txt": "mkdocs\n"}))
    assert manager == Manager(name="pip", requirements_file="deps/web.in")


def test_dependencies_that_the_build_reads_from_code_stop(repo: Repo) -> None:
    _, found = look(repo({"pyproject.toml": "[project]\nname='x'\ndynamic=['dependencies']\n", "setup.py": ""}))
    (unknown,) = found.unknown
    assert unknown.blocks
    assert unknown.message.startswith("pyproject.toml:3 has dynamic dependencies")


def test_of_several_locks_the_one_with_a_table_counts(repo: Repo) -> None:
    _, found = look(repo({"pyproject.toml": "[tool.poetry]\nname='x'\n", "uv.lock": "", "poetry.lock": ""}))
    assert found.answers["manager"] == "poetry"
    assert any("uv.lock also exists" in warning for warning in found.warnings)


@pytest.mark.parametrize("file", ["setup.py", "setup.cfg", "environment.yml", "pyproject.toml", "other"])
def test_an_uninstallable_manifest_needs_an_answer_for_the_manager(repo: Repo, file: str) -> None:
    manager, found = look(repo({file: ""}))
    assert manager == Manager()
    (unknown,) = found.unknown
    assert unknown.key == "manager"
    assert unknown.blocks
    assert unknown.remedy
    assert file in unknown.message or "No lock file" in unknown.message


def test_a_lock_that_is_not_beside_the_application_is_named(repo: Repo) -> None:
    _, found = look(repo({"poetry/poetry.lock": "", "poetry/pyproject.toml": ""}))
    (unknown,) = found.unknown
    assert "poetry/poetry.lock" in unknown.remedy


def test_a_given_manager_is_used(repo: Repo) -> None:
    manager, found = look(repo({"uv.lock": "", "requirements.txt": "fastapi==1\n"}), manager="pip")
    assert manager == Manager(name="pip", requirements_file="requirements.txt")
    assert "manager" not in found.answers


@pytest.mark.parametrize(
    ("files", "file"),
    [
        ({"requirements/prod.txt": "fastapi==1\n", "requirements/dev.txt": ""}, "requirements/prod.txt"),
        ({"requirements/base.txt": "fastapi==1\n"}, "requirements/base.txt"),
        ({"app/__init__.py": "", "app/requirements.txt": "fastapi==1\n"}, "app/requirements.txt"),
        (
            {
                "requirements.txt": "",
                "requirements/live.txt": "fastapi==1\n",
                "Dockerfile": "FROM python\nRUN pip install -r /tmp/requirements/live.txt",
            },
            "requirements/live.txt",
        ),
    ],
)
def test_the_requirements_file_that_is_installed(repo: Repo, files: dict[str, str], file: str) -> None:
    _, found = look(repo(files))
    assert found.answers["requirements_file"] == file


def test_the_file_that_requirements_were_compiled_from(repo: Repo) -> None:
    text = "# Autogenerated by uv via the following command:\n#    uv pip compile requirements.in\nfastapi==1\n"
    _, found = look(repo({"requirements.in": "fastapi", "requirements.txt": text}))
    assert (found.answers["requirements_source"], found.evidence["requirements_source"].line) == ("requirements.in", 2)
    _, found = look(repo({"requirements.txt": "fastapi==1\n"}))
    assert "requirements_source" not in found.answers


def test_requirements_for_development_and_hashes(repo: Repo) -> None:
    root = repo(
        {
            "requirements.txt": "fastapi==1 \\\n    --hash=sha256:a\nhttpx==1 --hash=sha256:b\n",
            "requirements-dev.txt": "",
        }
    )
    _, found = look(root)
    assert found.answers["requirements_dev"] == "requirements-dev.txt"
    assert (found.answers["require_hashes"], found.evidence["require_hashes"].line) == (True, 2)


def test_a_line_without_a_hash_means_no_hashes(repo: Repo) -> None:
    _, found = look(repo({"requirements.txt": "fastapi==1 --hash=sha256:a\nhttpx==1\n"}))
    assert found.answers["require_hashes"] is False


def test_included_files_are_an_answer(repo: Repo) -> None:
    _, found = look(repo({"requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "fastapi==1\n"}))
    assert found.answers["requirements_includes"] == ["requirements/base.txt"]


def test_a_member_is_locked_at_the_workspaces_root(repo: Repo) -> None:
    manager, found = look(repo({"pyproject.toml": PROJECT, "uv.lock": ""}), workspace=".")
    assert (manager.lock, found.answers["manager"]) == ("uv.lock", "uv")


@pytest.mark.parametrize("line", ["-r absent.txt", "-c ../constraints.txt"])
def test_an_included_file_that_the_build_cannot_have_stops(repo: Repo, line: str) -> None:
    found = detect(repo({"requirements.txt": f"fastapi==1\nuvicorn==1\n{line}\n", "main.py": APP}))
    (unknown,) = [unknown for unknown in found.unknown if unknown.key == "requirements_includes"]
    assert unknown.blocks
    assert "requirements.txt includes" in unknown.message


def test_an_included_address_is_not_a_file(repo: Repo) -> None:
    text = "fastapi==1\nuvicorn==1\n-c https://example.com/constraints.txt\n"
    found = detect(repo({"requirements.txt": text, "main.py": APP}))
    assert "requirements_includes" not in found.answers and not found.unknown
