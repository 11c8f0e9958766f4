"""An application that reads its readme and writes beside its code works unchanged, and a volume keeps its files."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.samples import sample

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

MAIN = """\
import sqlite3
from contextlib import closing
from pathlib import Path

from fastapi import FastAPI

UPLOADS = Path("uploads")
UPLOADS.mkdir(exist_ok=True)
ABOUT = Path(__file__).parent.parent.joinpath("README.md").read_text()
app = FastAPI(description=ABOUT)


@app.get("/health")
def health() -> dict[str, str]:
    (UPLOADS / "seen").write_text("yes")
    with closing(sqlite3.connect("seen.db")) as database:
        database.execute("CREATE TABLE IF NOT EXISTS seen (at TEXT)")
    return {"about": ABOUT}
"""


@pytest.fixture
def volumes(docker: host.Engine) -> Iterator[list[str]]:
    names = [f"dockertpl-test-{uuid.uuid4().hex[:12]}" for _ in range(2)]
    yield names
    docker.run("volume", "rm", "--force", *names)


@pytest.mark.parametrize("flavor", ["slim", "distroless"])
def test_what_it_reads_is_there_and_what_it_writes_is_kept(
    flavor: str,
    docker: host.Engine,
    base_images: Callable[..., dict[str, BaseImage]],
    volumes: list[str],
    tmp_path: Path,
) -> None:
    base_images(*service.BASES)
    folder = sample.write_sample(tmp_path / "files", manager="uv", layout="flat", server="uvicorn", package="app")
    (folder / "app" / "main.py").write_text(MAIN)
    (folder / "README.md").write_text("hello")
    (folder / "uploads").mkdir()
    (folder / "uploads" / ".gitkeep").touch()
    answers = service.new(folder, "-d", f"flavor={flavor}", "-d", f"name=files-{flavor}")
    assert (answers["writable"], answers["writable_files"]) == (["uploads"], ["seen.db"])
    tag = service.verify(folder, answers)
    try:
        with service.running(tag) as one:
            assert one.json("/health") == {"about": "hello"}
        mounts = [f"--volume={name}:{path}" for name, path in zip(volumes, ("/app/uploads", "/data"), strict=True)]
        strict = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", *mounts)
        python = ["--entrypoint=python3", tag, "-c"]
        docker.run("run", "--rm", *strict, *python, "from app.main import health; health()")
        listed = "import os; print(*sorted(os.listdir('/data') + os.listdir('/app/uploads')))"
        assert docker.output("run", "--rm", *strict, *python, listed) == "seen seen.db"
    finally:
        docker.run("image", "rm", tag)
