"""Adopted Dockerfiles: the old image answers, and the new one passes a strict `verify`."""

from __future__ import annotations

import contextlib
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.samples import adopt_sample

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

ANSWER_SECONDS = 60
RUNNING = [
    pytest.param(name, marks=[] if row.get("quick") else [pytest.mark.full], id=name)
    for name, row in adopt_sample.catalog().items()
    if row.get("runs")
]


@contextlib.contextmanager
def _old(docker: host.Engine, image: str, port: int) -> Iterator[tuple[str, int]]:
    """Run an image as its author intended, and yield its container and its port on this machine."""
    name = f"old-{uuid.uuid4().hex[:12]}"
    docker.run("run", "--detach", "--name", name, "--publish", f"127.0.0.1::{port}", image)
    try:
        yield name, int(docker.run("port", name, str(port)).stdout.splitlines()[0].rpartition(":")[2])
    finally:
        docker.run("rm", "--force", "--volumes", name)


def _status(docker: host.Engine, name: str, url: str) -> int:
    """Return the status of the first answer. If the container ended, fail with its log."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            running = docker.run("inspect", "--format", "{{.State.Running}}", name).stdout.strip() == "true"
            said = "" if running else docker.run("logs", name).stderr
            assert running, said
            assert time.monotonic() < deadline, url


@pytest.mark.parametrize("name", RUNNING)
def test_the_adopted_image_is_healthy_where_the_old_one_was(
    name: str, tmp_path: Path, docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]]
) -> None:
    row = adopt_sample.catalog()[name]
    python = row["kind"] == "python-fastapi"
    base_images(*(service.BASES if python else service.NEXT_BASES), *row.get("bases", []))
    folder = tmp_path / "orders"
    adopt_sample.write_adopt_sample(folder, name)
    # Without the line that makes a registry serve the frontend.
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("# syntax=docker/dockerfile:1\n", ""))
    old = f"dockertpl-test:old-{name}"
    built = service.build(docker, folder, tag=old)
    assert built.code == 0, built.log
    try:
        with _old(docker, old, row["port"]) as (container, port):
            assert _status(docker, container, f"http://127.0.0.1:{port}{row['health']}") == 200
    finally:
        docker.run("rmi", "--force", old, check=False)

    answers = [word for key, value in row.get("answers", {}).items() for word in ("-d", f"{key}={value}")]
    before = (folder / "Dockerfile").read_bytes()
    code, done = service.dockertpl("new", str(folder), "--defaults", "--adopt", "--accept-dropped", *answers)
    assert code == 0, done
    # The sample is not committed, so the old file stays beside the new one.
    assert "Dockerfile.before-dockertpl" in done["adopted"]["backups"]
    assert (folder / "Dockerfile.before-dockertpl").read_bytes() == before
    assert done["adopted"]["overruled"] == []
    image = service.verify(folder, yaml.safe_load((folder / ".copier-answers.yml").read_text()))
    docker.run("rmi", "--force", image, check=False)
