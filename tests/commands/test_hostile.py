"""Hostile or odd repositories are handled within limits, and reported."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.parity import read_tree
from tests.wizard import repositories

pytestmark = pytest.mark.slow

SECONDS = 20.0
MEMORY = 1 << 30


def _new(root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run `new` in its own process, with limits on memory and CPU time."""

    def bounds() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))

    return subprocess.run(
        [sys.executable, "-m", "dockertpl", "new", "--defaults", *more],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "generator")},
        capture_output=True,
        text=True,
        check=False,
        # A child that waits for something uses no CPU time.
        timeout=10 * SECONDS,
        preexec_fn=bounds,
    )


def test_a_manifest_of_two_gigabytes_is_not_read_and_named(tmp_path: Path) -> None:
    root = tmp_path / "big"
    root.mkdir()
    with (root / "package.json").open("wb") as file:
        file.truncate(2 << 30)
    done = _new(root)
    assert done.returncode == 2
    assert "package.json" in done.stderr.splitlines()[0]
    assert [path.name for path in root.iterdir()] == ["package.json"]


def test_links_in_a_circle_and_out_of_the_tree_lead_nowhere(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "main.py").write_text("from fastapi import FastAPI\nsecret = FastAPI()\n")
    (root / "self").symlink_to(".")
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    (root / "out").symlink_to(tmp_path / "secret")
    done = _new(root)
    assert done.returncode == 0, done.stderr
    assert b"app: app.main:app\n" in (root / ".copier-answers.yml").read_bytes()
    assert "secret" not in done.stderr


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (root / "Dockerfile").symlink_to(mine)
    for more in ((), ("--adopt",)):
        done = _new(root, *more)
        assert (done.returncode, mine.read_text()) == (2, "mine")
        assert "Dockerfile is a link" in done.stderr


def test_a_name_that_is_a_command_is_a_name(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    (root / "$(touch pwned)").write_text("")
    (root / "`touch pwned`;touch pwned").mkdir()
    (root / "a\nRUN touch pwned").mkdir()
    (root / "a\nRUN touch pwned" / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    before = {*read_tree(root)}
    assert _new(root).returncode == 0
    written = {path: file for path, file in read_tree(root).items() if path not in before}
    assert "pwned" not in written
    assert all(b"pwned" not in file.content for file in written.values())


def test_what_is_no_utf_8_is_named_and_what_is_written_is(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    (root / "pyproject.toml").write_bytes(b"[project]\nname = '\xff\xfe'\ndependencies = ['fastapi', 'uvicorn']\n")
    done = _new(root)
    assert done.returncode == 0, done.stderr
    assert "pyproject.toml:2 is not UTF-8 text" in done.stderr
    assert b"name: shop\n" in (root / ".copier-answers.yml").read_bytes()


def test_a_dockerfile_of_ten_thousand_lines_is_adopted_in_time(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    steps = [f"ENV A{n}=1\nRUN apt-get install p{n}\n" for n in range(5000)]
    text = "".join(["FROM python:3.13-slim\n", *steps, 'CMD ["uvicorn", "app.main:app"]\n'])
    (root / "Dockerfile").write_text(text)
    done = _new(root, "--adopt", "--accept-dropped")
    assert done.returncode == 0, done.stderr
    assert (root / "Dockerfile.before-dockertpl").read_text() == text
    new = (root / "Dockerfile").read_text()
    assert all(f"A{n}=1" in new for n in (0, 4999))
    assert all(f" p{n}" in new for n in (0, 4999))


def test_a_machine_generated_dockerfile_is_refused(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    text = "FROM python:3.13-slim\n" + "RUN true\n" * 50_000
    (root / "Dockerfile").write_text(text)
    done = _new(root, "--adopt")
    assert (done.returncode, (root / "Dockerfile").read_text()) == (2, text)
    assert "Dockerfile is longer than 192 KiB" in done.stderr


def test_a_dockerfile_that_does_not_end_is_refused(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    with (root / "Dockerfile").open("wb") as file:
        file.truncate(2 << 30)
    before = [path.name for path in sorted(root.iterdir())]
    done = _new(root, "--adopt")
    assert done.returncode == 2
    assert "Dockerfile is larger than 1024 KiB" in done.stderr
    assert [path.name for path in sorted(root.iterdir())] == before
