from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in {
        "backend/requirements.txt": "fastapi==0.115.0\nuvicorn==0.30.0\npsycopg2==2.9.9\n",
        "backend/app/main.py": f"{APP}@app.get('/health')\ndef health(): ...\n",
        "backend/Dockerfile": "FROM python:3.12-slim\nCMD alembic upgrade head && uvicorn app.main:app --port 9000\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_each_fact_is_one_line_with_file_and_line(root: Path, dockertpl: Callable[..., Any]) -> None:
    done = dockertpl("inspect", root)
    assert done.code == 0
    lines = done.out.splitlines()
    assert any(line.split() == ["app", "app.main:app", "backend/app/main.py:2"] for line in lines)
    assert any(line.split() == ["port", "9000", "backend/Dockerfile:2"] for line in lines)
    assert "named by backend/Dockerfile:2 (the Dockerfile's CMD)" in done.out
    assert "Warnings:" in done.out
    assert max(map(len, lines[1:])) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_values_are_aligned(root: Path, dockertpl: Callable[..., Any]) -> None:
    lines = dockertpl("inspect", root).out.splitlines()
    columns = {
        line.index(value)
        for line, value in ((line, word) for line in lines for word in ("backend/app/main.py:2",) if word in line)
    }
    assert len(columns) == 1
    assert len({line.index("uvicorn") for line in lines if line.startswith("server ")}) == 1


def test_json_is_one_object(root: Path, dockertpl: Callable[..., Any]) -> None:
    done = dockertpl("inspect", root, "--json")
    assert done.code == 0
    assert next(iter(done.json)) == "schema"
    assert (done.json["root"], done.json["app_dir"]) == (str(root), "backend")
    facts = {fact["key"]: fact for fact in done.json["facts"]}
    assert facts["app"] == {
        "key": "app",
        "value": "app.main:app",
        "path": "backend/app/main.py",
        "line": 2,
        "note": "named by backend/Dockerfile:2 (the Dockerfile's CMD)",
    }
    assert facts["runtime_packages"]["value"] == ["libpq5"]
    assert done.json["unknown"] == []
    assert done.json["warnings"]


def test_a_subfolder_is_relative_to_its_repository(root: Path, dockertpl: Callable[..., Any]) -> None:
    done = dockertpl("inspect", root / "backend", "--json")
    assert (done.json["root"], done.json["app_dir"]) == (str(root), "backend")


def test_a_missing_application_is_reported_with_a_remedy_and_exit_code_1(
    tmp_path: Path, dockertpl: Callable[..., Any]
) -> None:
    done = dockertpl("inspect", tmp_path)
    assert done.code == 1
    assert "Not detected:\n  app: No FastAPI or Next.js application was found" in done.out
    assert "-d app=package.module:app" in done.out
    assert dockertpl("inspect", tmp_path, "--json").json["unknown"][0]["key"] == "app"


def test_several_applications_are_listed_and_end_1(root: Path, dockertpl: Callable[..., Any]) -> None:
    (root / "other").mkdir()
    (root / "other" / "requirements.txt").touch()
    (root / "other" / "main.py").write_text(APP)
    done = dockertpl("inspect", root)
    assert done.code == 1
    assert "-d app_dir=backend" in done.out
    assert "-d app_dir=other" in done.out


def test_no_such_folder_is_bad_input(tmp_path: Path, dockertpl: Callable[..., Any]) -> None:
    done = dockertpl("inspect", tmp_path / "absent")
    assert done.code == 2
    assert "absent does not exist" in done.err


def test_a_broken_manifest_is_bad_input_with_its_line(root: Path, dockertpl: Callable[..., Any]) -> None:
    (root / "backend" / "pyproject.toml").write_text("[project\n")
    done = dockertpl("inspect", root)
    assert done.code == 2
    assert "backend/pyproject.toml:1 is not valid TOML" in done.err
    assert "Traceback" not in done.err
