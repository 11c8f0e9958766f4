from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dockertpl.adopt.adoption import BACKUP, AdoptedDockerfile, backups, find
from dockertpl.errors import DestinationError
from dockertpl.template.tree import File


def test_the_old_files_are_those_that_the_engine_reads(tmp_path: Path) -> None:
    assert find(tmp_path, ".", ".") is None
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    old = find(tmp_path, ".", ".")
    assert old is not None
    assert (old.dockerfile, old.ignored, set(old.paths)) == ("Dockerfile", None, {"Dockerfile"})
    (tmp_path / ".dockerignore").write_text("x\n")
    old = find(tmp_path, ".", ".")
    assert old is not None
    assert (old.ignored, set(old.paths)) == ("x\n", {"Dockerfile", ".dockerignore"})


@pytest.mark.parametrize(("context", "expected"), [("api", "y\n"), (".", None)])
def test_an_ignore_file_counts_where_its_folder_is_the_context(
    context: str, expected: str | None, tmp_path: Path
) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "Dockerfile").write_text("FROM a\n")
    (tmp_path / "api" / ".dockerignore").write_text("y\n")
    old = find(tmp_path, "api", context)
    assert old is not None
    assert (old.ignored, old.ignore_file) == (expected, "api/Dockerfile.dockerignore")


def test_a_file_that_is_not_plain_text_is_left_alone(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_bytes(b"FROM a\n\xff\n")
    with pytest.raises(DestinationError, match="is not UTF-8 text \\(line 2\\)"):
        find(tmp_path, ".", ".")
    dockerfile.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(DestinationError, match="larger than 1024 KiB"):
        find(tmp_path, ".", ".")
    dockerfile.unlink()
    dockerfile.symlink_to("/etc/hostname")
    with pytest.raises(DestinationError, match="is a link"):
        find(tmp_path, ".", ".")
    dockerfile.unlink()
    dockerfile.symlink_to(dockerfile)
    with pytest.raises(DestinationError, match="is a link"):
        find(tmp_path, ".", ".")


def test_an_uncommitted_file_is_backed_up(tmp_path: Path) -> None:
    old = File(content=b"FROM a\n")
    kept = [copy.path for copy in backups(tmp_path, {"Dockerfile": old})]
    assert kept == [f"Dockerfile{BACKUP}"]

    (tmp_path / "Dockerfile").write_bytes(old.content)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert len(backups(tmp_path, {"Dockerfile": old})) == 1
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "x"], check=True)
    assert backups(tmp_path, {"Dockerfile": old}) == []
    assert len(backups(tmp_path, {"Dockerfile": File(content=b"FROM b\n")})) == 1


def test_a_backup_never_replaces_another(tmp_path: Path) -> None:
    (tmp_path / f"Dockerfile{BACKUP}").write_text("from before")
    with pytest.raises(DestinationError, match="is not committed"):
        backups(tmp_path, {"Dockerfile": File(content=b"FROM a\n")})


def test_a_different_answer_is_reported(tmp_path: Path) -> None:
    text = "FROM python:3.11-slim\nRUN apt-get install -y libpq5 ffmpeg\nEXPOSE 8080\n"
    (tmp_path / "Dockerfile").write_text(text)
    old = find(tmp_path, ".", ".")
    assert old is not None
    answers = {"manager": "uv", "app": "app.main:app"}
    adoption = old.read("python-fastapi", answers)
    adopted = AdoptedDockerfile(old=old, adoption=adoption, answers={**answers, **adoption.answers})
    assert adopted.overruled == []
    given = {"python_version": "3.13", "runtime_packages": ["libpq5", "jq"]}
    otherwise = replace(adopted, answers={**adopted.answers, **given})
    assert [(item.what, item.where) for item in otherwise.overruled] == [
        ("FROM python:3.11-slim", "the answer python_version is 3.13"),
        ("ffmpeg", "the answer runtime_packages is ['libpq5', 'jq']"),
    ]
