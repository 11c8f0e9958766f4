from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockertpl.detect import detect
from dockertpl.detect.python.conventions import QUESTIONS

Repo = Callable[[dict[str, str]], Path]
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def test_a_whole_repository(repo: Repo) -> None:
    root = repo(
        {
            "pyproject.toml": """\
                [project]
                name = "Shop"
                requires-python = ">=3.11,<3.13"
                dependencies = ["fastapi", "uvicorn", "psycopg2"]

                [dependency-groups]
                dev = ["pytest"]
                """,
            "uv.lock": "version = 1\n",
            "src/shop/main.py": f"{APP}\n@app.get('/healthz')\ndef h(): ...\n",
            "Dockerfile": "FROM python:3.12-slim\nCMD uvicorn shop.main:app --port 9000 --workers 2\n",
        }
    )
    found = detect(root)
    assert found.answers == {
        "kind": "python-fastapi",
        "name": "shop",
        "app_dir": ".",
        "python_version": "3.12",
        "manager": "uv",
        "dev_groups": ["dev"],
        "layout": "src",
        "app": "shop.main:app",
        "app_file": "src/shop/main.py",
        "check_app": False,
        "app_factory": False,
        "server": "uvicorn",
        "workers": 2,
        "port": 9000,
        "health_path": "/healthz",
        "build_packages": ["gcc", "libc6-dev", "libpq-dev"],
        "runtime_packages": ["libpq5"],
    }
    where = {key: evidence.where for key, evidence in found.evidence.items()}
    assert where["app"] == "src/shop/main.py:2"
    assert where["port"] == where["workers"] == where["server"] == "Dockerfile:2"
    assert where["runtime_packages"] == "pyproject.toml:4"
    assert where["health_path"] == "src/shop/main.py:4"
    assert [fact.value for fact in found.facts["dockerfile"]] == ["Dockerfile"]
    assert (found.unknown, found.warnings) == ([], [])


def test_every_answer_has_its_evidence_in_the_order_of_the_questions(repo: Repo) -> None:
    found = detect(repo({"requirements.txt": "fastapi==1\nuvicorn==1\n", "main.py": APP}))
    assert list(found.answers) == [key for key in QUESTIONS if key in found.answers]
    assert set(found.evidence) == set(found.answers)


def test_what_is_given_is_not_repeated(repo: Repo) -> None:
    given: dict[str, Any] = {"manager": "pip", "health_path": "/x", "name": "y"}
    assert not set(given) & set(detect(repo({"requirements.txt": "", "main.py": APP}), given=given).answers)


def test_no_health_route_is_a_valid_answer(repo: Repo) -> None:
    found = detect(repo({"requirements.txt": "", "main.py": APP}))
    assert found.answers["health_path"] == ""
    assert found.unknown == []


def test_a_health_route_at_a_computed_path_is_ambiguous(repo: Repo) -> None:
    text = (
        "from fastapi import APIRouter, FastAPI\napp = FastAPI()\nr = APIRouter()\n"
        "@r.get('/health')\ndef h(): ...\napp.include_router(r, prefix=f())\n"
    )
    (unknown,) = detect(repo({"requirements.txt": "", "main.py": text})).unknown
    assert (unknown.key, "main.py:4" in unknown.message) == ("health_path", True)


def test_a_folder_that_python_cannot_import_is_reported(repo: Repo) -> None:
    found = detect(repo({"requirements.txt": "", "my-app/main.py": APP}))
    assert "app" not in found.answers
    assert "-d app_dir=" in next(unknown.remedy for unknown in found.unknown if unknown.key == "app")


def test_commands_before_the_server_are_reported(repo: Repo) -> None:
    root = repo(
        {"requirements.txt": "", "main.py": APP, "Dockerfile": "FROM x\nCMD alembic upgrade head && uvicorn main:app\n"}
    )
    assert any("Dockerfile:2 runs `alembic upgrade head` before the server" in text for text in detect(root).warnings)


def test_an_application_whose_neighbors_are_imported_by_bare_names_has_its_folder_as_root(repo: Repo) -> None:
    root = repo({"requirements.txt": "", "server/main.py": f"import db\n{APP}", "server/db.py": ""})
    answers = detect(root).answers
    assert (answers["import_root"], answers["app"], answers["app_file"]) == ("server", "main:app", "server/main.py")


def test_unreadable_files_in_the_application_folder_are_reported(repo: Repo) -> None:
    root = repo({"a/requirements.txt": "", "a/main.py": APP, "a/new.py": "FastAPI(", "b/old.py": "FastAPI("})
    warnings = " ".join(detect(root).warnings)
    assert "a/new.py:1" in warnings
    assert "b/old.py" not in warnings


def test_a_subclass_in_a_package_and_a_member_of_a_workspace(repo: Repo) -> None:
    root = repo(
        {
            "pyproject.toml": "[tool.uv.workspace]\nmembers = ['services/*', 'libs/*']\n",
            "uv.lock": "version = 1\n",
            "libs/core/pyproject.toml": "[project]\nname = 'core'\n",
            "services/api/pyproject.toml": "[project]\nname = 'api'\ndependencies = ['core', 'fastapi', 'granian']\n"
            "[tool.uv.sources]\ncore = {workspace = true}\n"
            "[build-system]\nrequires = ['uv_build']\nbuild-backend = 'uv_build'\n",
            "services/api/src/api/__init__.py": "",
            "services/api/src/api/server.py": "from fastapi import FastAPI\ndef create_app() -> FastAPI: ...\n",
        }
    )
    found = detect(root).answers
    assert (found["name"], found["app_dir"], found["context"], found["layout"]) == (
        "api",
        "services/api",
        ".",
        "package",
    )
    assert (found["app"], found["app_factory"], found["server"]) == ("api.server:create_app", True, "granian")
    assert (found["workspace_members"], found["workspace_packages"]) == (["libs/core"], ["libs/core"])


@pytest.mark.parametrize("app_dir", [".", "api"])
def test_nothing_of_the_repository_is_run(repo: Repo, app_dir: str) -> None:
    prefix = "" if app_dir == "." else f"{app_dir}/"
    bomb = "raise SystemExit('ran')\n"
    root = repo(
        {
            f"{prefix}requirements.txt": "",
            f"{prefix}main.py": bomb + APP,
            f"{prefix}setup.py": bomb,
            f"{prefix}conftest.py": bomb,
        }
    )
    assert detect(root, app_dir).answers["app"] == "main:app"
