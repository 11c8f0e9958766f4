"""`dockertpl verify --with` starts real servers, and removes them however a run ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.samples import sample

from dockertpl.engine import owner
from dockertpl.engine.client import find

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

SAMPLE = sample.HERE / "ledger"
QUICK = Path(__file__).parent / "verify_app"
NAME = f"test-services-{os.getpid()}"


@pytest.fixture
def servers(base_images: Callable[..., dict[str, BaseImage]]) -> tuple[str, str]:
    """The --with options for the servers."""
    base_images("python:3.13-slim-trixie", "postgres:17", "redis:8")
    return "--with=postgres:17", "--with=redis:8"


@pytest.fixture
def quick(servers: tuple[str, str], tmp_path: Path) -> Path:
    """A service that stays unhealthy under MODE=sick."""
    return Path(shutil.copytree(QUICK, tmp_path / NAME))


def _left(docker: host.Engine, name: str = NAME) -> set[str]:
    """Return the containers and networks of runs in this folder. Other runs may be active."""
    containers = docker.output("ps", "--all", "--format", "{{.Names}}", "--filter", f"name={name}").split()
    networks = docker.output("network", "ls", "--format", "{{.Name}}", "--filter", f"name={name}").split()
    return {*containers, *networks}


def _volumes(docker: host.Engine, names: set[str]) -> set[str]:
    found = [docker.output("inspect", "--format", "{{json .Mounts}}", name) for name in names if "-postgres-" in name]
    return {mount["Name"] for text in found for mount in json.loads(text) if mount["Type"] == "volume"}


def _started(docker: host.Engine, app: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start a `verify` that runs until it is stopped, and wait until the application runs beside its servers."""
    before = _left(docker)
    words = [sys.executable, "-m", "dockertpl", "verify", str(app), "--env=MODE=sick", "--timeout=600", *options]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=docker.environ(), start_new_session=True)
    deadline = time.monotonic() + 120
    # A network, two servers, and the application.
    while len(_left(docker) - before) < 2 + len([one for one in options if one.startswith("--with")]):
        assert process.poll() is None and time.monotonic() < deadline, "it did not start"
        time.sleep(0.1)
    return process


def test_an_application_is_migrated_and_healthy_beside_real_servers(
    docker: host.Engine, servers: tuple[str, str], tmp_path: Path
) -> None:
    app = Path(shutil.copytree(SAMPLE, tmp_path / "ledger"))
    (app / "pyproject.toml").write_text((app / "pyproject.toml").read_text().replace("ledger", NAME))
    sample.relock(app, "uv")
    subprocess.run(["git", "init", "--quiet", str(app)], check=True)
    service.new(app, "-d", "python_version=3.13")

    # It reports what is missing: first its servers, then its tables.
    code, facts = service.dockertpl("verify", str(app))
    assert code == 1 and facts["error"]["remedy"].endswith(
        "\n  dockertpl verify --with postgres --run 'alembic upgrade head'"
    )
    code, facts = service.dockertpl("verify", str(app), *servers)
    assert code == 1 and "--run 'alembic upgrade head'" in facts["error"]["remedy"]
    code, facts = service.dockertpl("verify", str(app), *servers, "--run=alembic upgrade nowhere")
    assert code == 1 and "`alembic upgrade nowhere` ended with code 255" in facts["error"]["message"]

    code, facts = service.dockertpl("verify", str(app), *servers, "--run=alembic upgrade head")
    assert (code, facts["healthy"]) == (0, True), facts
    assert [one["name"] for one in facts["services"]] == ["postgres", "redis"]
    assert "DATABASE_URL" in facts["services"][0]["variables"] and "CACHE_URL" in facts["services"][1]["variables"]
    assert not _left(docker)


def test_an_interrupt_leaves_nothing_behind(docker: host.Engine, quick: Path, servers: tuple[str, str]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = _started(docker, quick, *servers)
        volumes = _volumes(docker, _left(docker))
        process.send_signal(number)
        assert process.wait(60) == 130
        assert not _left(docker)
        assert volumes and not volumes & set(docker.output("volume", "ls", "--quiet").split())


def test_what_a_killed_run_left_the_next_one_removes_and_a_living_ones_stays(
    docker: host.Engine, quick: Path, servers: tuple[str, str]
) -> None:
    living = _started(docker, quick, "--with=redis:8")
    own = _left(docker)
    try:
        dead = _started(docker, quick, *servers)
        left = _left(docker) - own
        volumes = _volumes(docker, left)
        dead.kill()
        dead.wait()
        assert left <= _left(docker)
        code, facts = service.dockertpl("verify", str(quick), "--env=MODE=well", "--with=redis:8")
        assert (code, facts["error"]) == (0, None)
        assert _left(docker) == own
        assert volumes and not volumes & set(docker.output("volume", "ls", "--quiet").split())
    finally:
        living.kill()
        living.wait()
    owner.sweep(find(docker.environ()))
    assert not _left(docker)
