"""Hostile repositories: detection ends, reads nothing outside, and reports what it skipped."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.errors import BadInputError, DockertplError

Repo = Callable[[dict[str, str]], Path]
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def test_a_manifest_that_is_a_link_out_is_as_if_it_were_absent(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside.toml").write_text("[project]\nname = 'secret'\n")
    root = repo({"main.py": APP})
    (root / "pyproject.toml").symlink_to(tmp_path / "outside.toml")
    found = detect(root)
    assert "secret" not in str(found)
    assert any("pyproject.toml leads out" in warning for warning in found.warnings)


def test_a_link_to_a_system_file_is_not_read(repo: Repo) -> None:
    root = repo({"main.py": APP})
    for name in ("pyproject.toml", "requirements.txt", "Dockerfile", ".python-version", "uv.lock"):
        (root / name).symlink_to("/etc/passwd")
    assert "root:" not in str(detect(root))


def test_a_requirements_file_that_includes_files_outside_reads_none(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("secretlib==1\n")
    root = repo({"main.py": APP, "requirements.txt": "-r ../outside.txt\n-r /etc/passwd\nfastapi==1\n"})
    assert "secretlib" not in str(detect(root))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "main.py",
        "pyproject.toml",
        "uv.lock",
        "Dockerfile",
        "compose.yaml",
        "requirements.txt",
        "Pipfile",
        "README.md",
        "setup.cfg",
    ],
)
def test_every_file_may_be_a_pipe_a_giant_binary_or_absurd(repo: Repo, name: str) -> None:
    root = repo({"app/main.py": APP, "requirements.txt": "fastapi==1\n"})
    target = root / name
    target.unlink(missing_ok=True)
    os.mkfifo(target)
    detect(root)
    target.unlink()
    with target.open("wb") as stream:
        stream.truncate(100 << 20)
    detect(root)
    for content in (bytes(range(256)) * 16, b"[" * 50_000, b"a" * 900_000, b"${" * 10_000, b"\n" * 900_000):
        target.write_bytes(content)
        try:
            detect(root)
        except DockertplError as error:
            assert error.exit_code == 2
            assert name in error.message


def test_an_invalid_manifest_is_one_clear_error(repo: Repo) -> None:
    with pytest.raises(BadInputError, match=r"^pyproject\.toml:3 is not valid TOML: ") as caught:
        detect(repo({"main.py": APP, "pyproject.toml": "[project]\nname = 'x'\nname = 'y'\n"}))
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "project = 1\ntool = 2\n",
        "[project]\nname = 1\ndependencies = 'fastapi'\nrequires-python = 3.11\nreadme = 7\n",
        "[project]\nname = ['x']\ndependencies = [1, {}, '']\n[dependency-groups]\ndev = 1\n",
        "[tool.uv]\nindex = 1\nsources = 2\nworkspace = 3\ndev-dependencies = 4\n",
        "[tool.uv.workspace]\nmembers = 1\nexclude = [2]\n",
        "[tool.poetry]\nname = 2\npackages = 'x'\nreadme = []\ndependencies = []\ngroup = 1\nsource = 1\n",
        "[tool.poetry.dependencies]\npython = []\nx = [1]\ny = {extras = 1}\n",
        "[tool.pdm]\ndistribution = 'x'\nsource = 1\ndev-dependencies = 1\n",
        "[tool]\nfastapi = 1\nuv = 1\npoetry = 2\npdm = 3\n",
        "build-system = 1\n",
    ],
)
def test_values_of_the_wrong_type_do_not_crash(repo: Repo, text: str) -> None:
    root = repo({"main.py": APP, "pyproject.toml": text})
    for lock in ("uv.lock", "poetry.lock", "pdm.lock"):
        (root / lock).write_text("")
        detect(root)
        (root / lock).unlink()


@pytest.mark.parametrize(
    "text",
    [
        "x" + ".x" * 50_000 + "\n" + APP,
        APP + "y = " + "f(" * 90 + ")" * 90 + "\n",
        APP + "app.include_router(" + "a" + ".b" * 20_000 + ")\n",
        APP + "app.include_router(r, prefix=" + "+".join(["'a'"] * 900) + ")\n",
        APP + "@app.get('/health')\ndef h(" + ",".join(f"a{i}=1" for i in range(2000)) + "): ...\n",
        "from main import app\n" + APP,
        "class A(B): pass\nclass B(A): pass\napp = A()\n" + APP.replace("app =", "app2 ="),
    ],
)
def test_absurd_python_ends(repo: Repo, text: str) -> None:
    try:
        detect(repo({"main.py": text}))
    except DockertplError as error:
        assert error.exit_code == 2


def test_a_compose_file_that_doubles_itself_ends(repo: Repo) -> None:
    lines = ["x0: &x0 {a: uvicorn}"] + [f"x{i}: &x{i} {{<<: [*x{i - 1}, *x{i - 1}]}}" for i in range(1, 60)]
    lists = ["y0: &y0 [uvicorn]"] + [f"y{i}: &y{i} [*y{i - 1}, *y{i - 1}]" for i in range(1, 60)]
    service = "services: {a: {<<: *x59, build: ., command: *y59, ports: *y59}}"
    root = repo({"requirements.txt": "", "main.py": APP, "compose.yaml": "\n".join([*lines, *lists, service])})
    assert detect(root).answers["app"] == "main:app"


def test_a_number_of_thousands_of_digits_is_bad_input(repo: Repo) -> None:
    with pytest.raises(BadInputError, match=r"pyproject\.toml"):
        detect(repo({"main.py": APP, "pyproject.toml": f"x = {'1' * 9000}\n"}))


def test_evidence_and_answers_hold_no_line_break_of_theirs(repo: Repo) -> None:
    root = repo(
        {
            "requirements.txt": "",
            "main.py": APP,
            "Dockerfile": "FROM x\nCMD uvicorn main:app --root-path '/a\\nb' --port '1;2'\n",
        }
    )
    found = detect(root)
    assert not any("\n" in str(value) for value in found.answers.values())
    assert "root_path" not in found.answers
    assert "port" not in found.answers
