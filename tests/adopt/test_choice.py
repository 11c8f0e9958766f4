"""Which of several Dockerfiles belongs to the application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dockertpl.adopt.choice import candidates

PYTHON = 'FROM python:3.13-slim\nCOPY . .\nCMD ["uvicorn", "app.main:app"]\n'
NODE = 'FROM node:24-alpine\nCOPY . .\nCMD ["node", "server.js"]\n'
BACKEND = 'FROM python:3.13-slim\nCOPY backend/ .\nCMD ["uvicorn", "app.main:app"]\n'


def _found(root: Path, files: dict[str, str], app_dir: str = ".", kind: str = "python-fastapi") -> list[Any]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return candidates(root, app_dir, kind, {"app": "app.main:app"} if kind == "python-fastapi" else {})


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"Dockerfile": PYTHON}, "Dockerfile"),
        ({"Dockerfile.prod": PYTHON, "Dockerfile.dev": PYTHON}, "Dockerfile.prod"),
        ({"Dockerfile": PYTHON, "Dockerfile.prod": PYTHON}, "Dockerfile.prod"),
        ({"Dockerfile": PYTHON, "Dockerfile.dev": PYTHON, "worker.Dockerfile": PYTHON}, "Dockerfile"),
        ({"docker/Dockerfile": PYTHON}, "docker/Dockerfile"),
        ({"docker/api/Dockerfile": PYTHON, "docker/nginx/Dockerfile": "FROM nginx\n"}, "docker/api/Dockerfile"),
        ({"deploy/prod.Dockerfile": PYTHON, "deploy/web.Dockerfile": NODE}, "deploy/prod.Dockerfile"),
        ({".docker/Containerfile": PYTHON}, ".docker/Containerfile"),
        (
            {
                "docker/a.Dockerfile": PYTHON,
                "docker/b.Dockerfile": PYTHON,
                "compose.prod.yaml": "services:\n  api:\n    build: {context: ., dockerfile: docker/b.Dockerfile}\n",
            },
            "docker/b.Dockerfile",
        ),
        (
            {
                "docker/a.Dockerfile": PYTHON,
                "docker/b.Dockerfile": PYTHON,
                ".github/workflows/x.yml": "with:\n  file: ./docker/a.Dockerfile\n",
            },
            "docker/a.Dockerfile",
        ),
    ],
)
def test_the_one_for_production_that_builds_the_application_is_first(
    tmp_path: Path, files: dict[str, str], chosen: str
) -> None:
    found = _found(tmp_path, files)
    assert found[0].path == chosen
    assert len(found) == 1 or found[0].weight > found[1].weight


def test_one_above_the_application_counts_if_it_is_about_it(tmp_path: Path) -> None:
    files = {
        "Dockerfile": BACKEND,
        "other.Dockerfile": PYTHON.replace("app.main", "x"),
        "docker/backend/Dockerfile": PYTHON,
    }
    found = _found(tmp_path, files, "backend")
    assert {one.path for one in found} == {"Dockerfile", "docker/backend/Dockerfile"}


def test_a_compose_file_says_what_the_context_is(tmp_path: Path) -> None:
    compose = "services:\n  api:\n    build:\n      context: ./backend\n      dockerfile: ../docker/api.Dockerfile\n"
    found = _found(tmp_path, {"docker/api.Dockerfile": PYTHON, "compose.yaml": compose}, "backend")
    assert [(one.path, one.context, one.named_by) for one in found] == [
        ("docker/api.Dockerfile", "backend", ("compose.yaml:2",))
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile.dev": PYTHON},
        {"docker/Dockerfile": "FROM nginx\n"},
        {"docker/Dockerfile": NODE},
        {"Dockerfile.prod": ""},
        {"docker/Dockerfile": "# " + "x" * (1 << 20) + "\n" + PYTHON},
    ],
)
def test_what_is_not_for_production_or_of_another_kind_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    assert _found(tmp_path, files) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PYTHON)
    (tmp_path / "Dockerfile.prod").symlink_to(tmp_path / "secret")
    (tmp_path / "docker").symlink_to("/etc")
    assert _found(tmp_path, {}) == []
