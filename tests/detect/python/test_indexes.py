from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.indexes import find_indexes, find_ssh
from dockertpl.detect.python.lock import production
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
PRIVATE = "https://gitlab.example/api/v4/projects/7/packages/simple"


def look(root: Path, manager: str = "pip") -> Detection:
    found = Detection()
    repository = Repository(root)
    files = [path for path in repository.files if path.endswith("Dockerfile")]
    find_indexes(Project(repository, "."), found, manager, "requirements.txt" if manager == "pip" else "", files)
    return found


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("pyproject.toml", f"[[tool.uv.index]]\nname = 'x'\nurl = '{PRIVATE}'\n", 3),
        ("pyproject.toml", f"[tool.uv]\nextra-index-url = ['{PRIVATE}']\n", 2),
        ("pyproject.toml", f"[tool.uv]\nindex-url = '{PRIVATE}'\n", 2),
        ("pyproject.toml", "[[tool.uv.index]]\nurl = 'https://x.example/simple'\nauthenticate = 'always'\n", 2),
        ("pyproject.toml", f"[[tool.poetry.source]]\nname = 'x'\nurl = '{PRIVATE}'\n", 3),
        ("pyproject.toml", f"[[tool.pdm.source]]\nurl = '{PRIVATE}'\n", 2),
        ("Pipfile", f"[[source]]\nurl = '{PRIVATE}'\n", 2),
        ("requirements.txt", f"--index-url {PRIVATE}\n", 1),
        ("Dockerfile", "FROM python\n# no .netrc\nCOPY .netrc /root/.netrc\n", 3),
        ("requirements.txt", "-r x\n--index-url=https://me:secret@x.example/simple\n", 2),
    ],
)
def test_an_index_that_asks_for_a_password_is_found(repo: Repo, path: str, text: str, line: int) -> None:
    found = look(repo({path: text}))
    assert found.answers["private_index"] is True
    assert found.evidence["private_index"].where == f"{path}:{line}"
    assert "secret" not in found.evidence["private_index"].note


@pytest.mark.parametrize("url", ["https://index.example/simple", "https://download.example/whl/cpu"])
def test_a_public_index_needs_no_answer(repo: Repo, url: str) -> None:
    files = {"requirements.txt": f"--index-url {url}", "Pipfile": f"[[source]]\nurl = '{url}'"}
    assert look(repo(files)).answers == {}


@pytest.mark.parametrize(
    ("manager", "path", "text", "names", "line"),
    [
        (
            "pip",
            "requirements.txt",
            "fastapi\n--index-url https://${USER}:${TOKEN}@h.example/x\n",
            ["TOKEN", "USER"],
            2,
        ),
        ("pip", "requirements.txt", "core @ git+https://${TOKEN}@h.example/acme/core.git\n", ["TOKEN"], 1),
        ("pip", "requirements.txt", "core @ https://h.example/core.whl?key=${KEY}\n", ["KEY"], 1),
        ("pipenv", "Pipfile", "[[source]]\nurl = 'https://$USER:${PASS}@h.example/x'\n", ["PASS", "USER"], 2),
        ("pdm", "pyproject.toml", "[[tool.pdm.source]]\nurl = 'https://${USER}:x@h.example/y'\n", ["USER"], 2),
    ],
)
def test_variables_in_an_address_are_build_secrets(
    repo: Repo, manager: str, path: str, text: str, names: list[str], line: int
) -> None:
    found = look(repo({path: text}), manager)
    assert found.answers == {"build_secrets": names}
    assert found.evidence["build_secrets"].where == f"{path}:{line}"


def test_variables_of_included_files_count_too(repo: Repo) -> None:
    root = repo({"requirements.txt": "-r base.txt\n", "base.txt": "--index-url https://${TOKEN}@h.example/x\n"})
    assert look(root).answers["build_secrets"] == ["TOKEN"]


@pytest.mark.parametrize("line", ["# --index-url https://${TOKEN}@h.example/x", "core @ file:///${PROJECT_ROOT}/core"])
def test_what_is_not_put_in_is_no_secret(repo: Repo, line: str) -> None:
    assert "build_secrets" not in look(repo({"requirements.txt": f"{line}\n"})).answers


@pytest.mark.parametrize(
    ("manager", "path", "text", "several"),
    [
        ("pip", "requirements.txt", "--extra-index-url https://h.example/x\nfastapi\n", True),
        ("pip", "requirements.txt", "--index-url https://h.example/x\nfastapi\n", None),
        ("pip", "requirements.txt", "# uv pip compile\n--extra-index-url https://h.example/x\n", None),
        ("poetry", "pyproject.toml", "[[tool.poetry.source]]\nurl = 'h'\npriority = 'supplemental'\n", True),
        ("poetry", "pyproject.toml", "[[tool.poetry.source]]\nurl = 'h'\npriority = 'primary'\n", None),
        ("uv", "pyproject.toml", "[[tool.uv.index]]\nurl = 'h'\n[[tool.uv.index]]\nurl = 'i'\n", None),
    ],
)
def test_several_indexes_are_searched_as_pip_and_poetry_did(
    repo: Repo, manager: str, path: str, text: str, several: bool | None
) -> None:
    assert look(repo({path: text}), manager).answers.get("several_indexes") is several


UV_LOCK = "[[package]]\nname = 'core'\nsource = {{ git = '{}' }}\n"
POETRY_LOCK = "[[package]]\nname = 'core'\nversion = '1'\n[package.source]\ntype = 'git'\nurl = '{}'\n"
PYPROJECT = "[project]\nname = 'x'\ndependencies = ['core']\n"


@pytest.mark.parametrize(
    ("url", "ssh"),
    [
        ("ssh://git@github.com/acme/core.git?rev=v1#0a", True),
        ("git@github.com:acme/core.git", True),
        ("https://github.com/acme/core.git", None),
        ("https://user@host.example:8443/acme/core.git", None),
    ],
)
@pytest.mark.parametrize(("manager", "lock"), [("uv", UV_LOCK), ("poetry", POETRY_LOCK)])
def test_a_repository_over_ssh_is_found_in_the_lock(
    repo: Repo, manager: str, lock: str, url: str, ssh: bool | None
) -> None:
    project = Project(Repository(repo({f"{manager}.lock": lock.format(url), "pyproject.toml": PYPROJECT})), ".")
    found = Detection()
    find_ssh(project, found, production(project, manager, "", f"{manager}.lock"))
    assert found.answers.get("ssh") is ssh


@pytest.mark.parametrize(
    ("line", "ssh"),
    [
        ("core @ git+ssh://git@github.com/acme/core.git@v1.2", True),
        ("-e git+ssh://git@github.com/acme/core.git#egg=core", True),
        ("core @ git+https://github.com/acme/core.git@v1.2", None),
        ("core==1.0", None),
    ],
)
def test_a_repository_over_ssh_is_found_in_a_requirements_file(repo: Repo, line: str, ssh: bool | None) -> None:
    project = Project(Repository(repo({"requirements.txt": f"fastapi\n{line}\n"})), ".")
    found = Detection()
    find_ssh(project, found, production(project, "pip", "requirements.txt", ""))
    assert found.answers.get("ssh") is ssh
    if ssh:
        assert found.evidence["ssh"].where == "requirements.txt:2"
