from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.extras import find_extras, offered
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
APP = "from fastapi import FastAPI\napp = FastAPI()\n"
LIBRARY = "[project]\nname = 'shop'\ndependencies = ['pydantic']\n[project.optional-dependencies]\n"


@pytest.mark.parametrize(
    "command", ["uv sync --extra pgsql", "poetry install -E pgsql", "pip install '.[pgsql]'", "uv sync --all-extras"]
)
def test_extras_are_those_that_a_dockerfile_installs(repo: Repo, command: str) -> None:
    root = repo(
        {"pyproject.toml": "[project.optional-dependencies]\npgsql = []\n", "Dockerfile": f"FROM x\nRUN {command}\n"}
    )
    found = Detection()
    find_extras(Project(Repository(root), "."), found, ["Dockerfile"], None)
    assert (found.answers["extras"], found.evidence["extras"].line) == (["pgsql"], 2)


def test_extras_that_nothing_installs_are_a_fact(repo: Repo) -> None:
    found = Detection()
    find_extras(
        Project(Repository(repo({"pyproject.toml": "[project.optional-dependencies]\na = []\n"})), "."), found, [], None
    )
    assert "extras" not in found.answers
    assert found.facts["extras_offered"][0].value == ["a"]


@pytest.mark.parametrize(
    ("extras", "chosen"),
    [
        ("server = ['fastapi[standard]']\ncli = ['typer']\n", ["server"]),
        ("api = ['fastapi', 'uvicorn[standard]']\ndocs = ['mkdocs']\n", ["api"]),
        # Two extras where no single one has both.
        ("api = ['fastapi']\nserve = ['gunicorn', 'uvicorn']\n", ["api", "serve"]),
        # The smaller of two that do.
        ("everything = ['fastapi', 'uvicorn', 'torch']\nweb = ['fastapi', 'uvicorn']\n", ["web"]),
        # An extra may be made of others.
        ("api = ['fastapi']\nserver = ['shop[api]', 'uvicorn']\n", ["server"]),
        ("all = ['fastapi', 'uvicorn', 'torch']\n", ["all"]),
        # What tests need is not what production needs.
        ("test = ['fastapi', 'uvicorn']\n", None),
    ],
)
def test_an_extra_that_brings_the_server_is_installed(repo: Repo, extras: str, chosen: list[str] | None) -> None:
    found = detect(repo({"pyproject.toml": LIBRARY + extras, "shop/main.py": APP}))
    assert found.answers.get("extras") == chosen
    unserved = [warning for warning in found.warnings if "no ASGI server" in warning or "bring fastapi" in warning]
    assert bool(unserved) == (chosen is None)
    assert ("server" in found.answers) == (chosen is not None)


def test_an_extra_of_poetry_names_optional_dependencies(repo: Repo) -> None:
    manifest = """\
        [tool.poetry]
        name = "shop"
        [tool.poetry.dependencies]
        fastapi = "*"
        uvicorn = { version = "*", extras = ["standard"], optional = true }
        [tool.poetry.extras]
        server = ["uvicorn"]
        """
    lock = "".join(f'[[package]]\nname = "{name}"\nversion = "1"\n' for name in ("fastapi", "uvicorn"))
    found = detect(repo({"pyproject.toml": manifest, "poetry.lock": lock, "shop/main.py": APP}))
    assert (found.answers["extras"], found.evidence["extras"].line) == (["server"], 7)
    assert found.answers["server"] == "uvicorn"


def test_a_project_that_has_its_server_needs_no_extra(repo: Repo) -> None:
    manifest = LIBRARY.replace("'pydantic'", "'fastapi', 'uvicorn'") + "standard = ['gunicorn']\n"
    assert "extras" not in detect(repo({"pyproject.toml": manifest, "shop/main.py": APP})).answers


def test_extras_that_are_given_are_not_asked_for_again(repo: Repo) -> None:
    root = repo({"pyproject.toml": LIBRARY + "server = ['fastapi', 'uvicorn']\n", "shop/main.py": APP})
    found = detect(root, given={"extras": ["server"]})
    assert "extras" not in found.answers
    assert found.answers["server"] == "uvicorn"


def test_extras_that_name_each_other_end(repo: Repo) -> None:
    root = repo({"pyproject.toml": LIBRARY + "a = ['shop[b]']\nb = ['shop[a]', 'rich']\n"})
    assert {one.name for one in offered(Project(Repository(root), "."))["a"]} == {"rich"}
