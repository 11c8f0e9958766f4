"""The next steps that `dockertpl verify` suggests."""

import shlex
import subprocess
from pathlib import Path

import pytest

from dockertpl.commands import verify_next
from dockertpl.commands.dockerfile_to_build import Subject, locate
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.strict import RunOptions, strict_options

IMAGE = ImageFacts(image="sha256:1", user="10001", port=8000, probe=("probe",), labels={})


def plain(folder: Path) -> Subject:
    return Subject("shop", folder / "Dockerfile", folder, None)


def command(text: str) -> list[str]:
    """Return the command below `run it`, split as a shell splits it."""
    start = text[text.index("docker run") :]
    return shlex.split(start[: start.index(":verify") + len(":verify")].replace("\\\n", ""))


def test_the_command_has_the_flags_of_the_proof_on_a_port_that_is_known(tmp_path: Path) -> None:
    options = RunOptions(environment={"MODE": "a b"}, tmpfs=["/data"])
    text = verify_next.next_steps(plain(tmp_path), IMAGE, options, beside_it=False)
    words = command(text)
    assert words[:3] == ["docker", "run", "-d"] and words[-1] == "dockertpl/shop:verify"
    strict = [word for word in strict_options(IMAGE, options) if not word.startswith("--publish")]
    assert [word for word in words[3:-1] if not word.startswith("--publish")] == strict
    assert "--publish=127.0.0.1:8000:8000" in words
    assert "http://localhost:8000" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_value_that_the_shell_has_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    options = RunOptions(environment={"TOKEN": "secret"})
    text = verify_next.next_steps(plain(tmp_path), IMAGE, options, beside_it=False)
    assert "--env=TOKEN" in command(text)
    assert "secret" not in text


def test_beside_a_throwaway_server_docker_run_alone_would_not_do(tmp_path: Path) -> None:
    text = verify_next.next_steps(plain(tmp_path), IMAGE, RunOptions(), beside_it=True)
    assert "docker run" not in text and "dockertpl run" in text


def test_what_is_not_committed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> None:
        user = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *user, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / ".copier-answers.yml").write_text("kind: python-fastapi\nname: shop\napp_dir: .\n")
    (tmp_path / ".github/workflows").mkdir(parents=True)
    for path in ("Dockerfile", ".dockerignore", ".github/workflows/shop-image.yml", ".github/workflows/other.yml"):
        (tmp_path / path).write_text("x\n")
    (tmp_path / "app.py").write_text("")
    git("add", ".dockerignore", ".copier-answers.yml")
    git("commit", "-m", "x")
    (tmp_path / ".dockerignore").write_text("y\n")
    monkeypatch.chdir(tmp_path)
    subject = locate(tmp_path)
    assert verify_next.uncommitted(subject) == [".dockerignore", ".github/workflows/shop-image.yml", "Dockerfile"]
    git("add", ".")
    git("commit", "-m", "y")
    assert verify_next.uncommitted(subject) == []


def test_a_container_that_stays_has_its_address_and_the_command_that_removes_it() -> None:
    lines = verify_next.kept_text("shop-1", "http://localhost:8123", ["shop-postgres"], "shop-net").splitlines()
    assert lines == [
        "  kept        shop-1, http://localhost:8123",
        "  remove it   docker rm -f -v shop-1 shop-postgres",
        "              docker network rm shop-net",
    ]
