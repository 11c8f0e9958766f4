"""Promises of the engine of the tests."""

import io
import os
import shutil
import tarfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from . import host
from .bases import BaseImage

BaseImages = Callable[..., dict[str, BaseImage]]
engine = pytest.mark.engine

SLIM = "debian:trixie-slim"
STRICT = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=256m", "--user=1000:1000")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a program on PATH that answers as a docker client of that version."""
    monkeypatch.delenv("DOCKERTPL_DOCKER", raising=False)
    monkeypatch.setenv("PATH", "")

    def make(folder: str, version: str) -> Path:
        program = tmp_path / folder / "docker"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\n[ "$1" = buildx ] && echo v0.29 || echo "{version}"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{program.parent}")
        return program

    return make


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give this test its own folders instead of those of the running engine."""
    monkeypatch.setattr(host, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(host, "run_dir", lambda: tmp_path)
    return tmp_path


def test_the_newest_client_is_used(client: Callable[[str, str], Path]) -> None:
    client("first", "28.2.2")
    newest = client("second", "99.0.1")
    client("third", "28.9.0")
    found = host.find()
    assert found and found.docker == str(newest)


def test_an_old_client_is_not_used(client: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERTPL_DOCKER", str(client("only", "20.10.24")))
    assert host.find() is None


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("program", ["/opt/one/docker", "/opt/two/docker"])
def test_a_bare_docker_is_the_engines_client(program: str) -> None:
    first = Path(host.Engine(docker=program).environ()["PATH"].split(os.pathsep)[0])
    assert {entry.name: str(entry.readlink()) for entry in first.iterdir()} == {"docker": program}


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(folders: Path) -> None:
    pid_file = folders / "dockerd.pid"
    pid_file.write_text(str(os.getpid()))
    host.down()
    assert not pid_file.exists()


@engine
@pytest.mark.skipif(not shutil.which("docker-registry"), reason="the registry runs as a container here")
def test_down_stops_what_up_started(docker: host.Engine, folders: Path) -> None:
    assert host.find(), "the engine answers already, so only a registry is started"
    started, registry = host.up()
    assert not started.started and registry.started
    assert host.up()[1] == host.Registry(address=registry.address)
    host.down()
    assert not list(folders.glob("*.pid"))
    assert docker.output("version", "--format", "{{.Server.Version}}"), "an engine that was there before stays"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://{registry.address}/v2/", timeout=5)


@engine
def test_the_engine_limits_memory_and_builds(docker: host.Engine) -> None:
    assert docker.output("info", "--format", "{{.MemoryLimit}}") == "true"
    assert docker.output("buildx", "version")


@engine
def test_the_registry_takes_and_gives(docker: host.Engine, registry: str, tmp_path: Path) -> None:
    name, archive = f"{registry}/tests/tiny:1", tmp_path / "tiny.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("hello"), io.BytesIO())
    docker.run("import", str(archive), name)
    pushed = docker.output("image", "inspect", "--format", "{{.Id}}", name)
    docker.run("push", name)
    docker.run("rmi", name)
    docker.run("pull", name)
    assert docker.output("image", "inspect", "--format", "{{.Id}}", name) == pushed
    docker.run("rmi", name)


@engine
def test_a_container_can_be_locked_down(docker: host.Engine, base_images: BaseImages) -> None:
    base_images(SLIM)
    script = "grep CapEff /proc/self/status; touch /x 2>/dev/null || echo read-only; touch /tmp/x && echo tmp"
    said = docker.output("run", "--rm", *STRICT, "--tmpfs=/tmp", SLIM, "sh", "-c", script)
    assert said.split() == ["CapEff:", "0000000000000000", "read-only", "tmp"]


@engine
def test_too_much_memory_ends_a_container(docker: host.Engine, base_images: BaseImages) -> None:
    base_images(SLIM)
    greedy = docker.run(
        "run", "--rm", *STRICT, "--memory-swap=256m", SLIM, "perl", "-e", "$x = 'x' x 2**29", check=False
    )
    assert greedy.returncode == 137


@engine
def test_health_is_known_before_the_first_interval(docker: host.Engine, base_images: BaseImages) -> None:
    base_images(SLIM)
    check = ("--health-cmd=true", "--health-interval=30s", "--health-start-period=30s", "--health-start-interval=1s")
    container = docker.output("run", "--detach", "--rm", "--init", *check, SLIM, "sleep", "60")
    try:
        deadline = time.monotonic() + 10
        while (status := _health(docker, container)) == "starting" and time.monotonic() < deadline:
            time.sleep(0.2)
        assert status == "healthy"
    finally:
        docker.run("rm", "--force", container)


def _health(docker: host.Engine, container: str) -> str:
    return docker.output("inspect", "--format", "{{.State.Health.Status}}", container)
