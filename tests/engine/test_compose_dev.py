"""The stage "dev": it reloads, has the development tools, does not run as root, and supports a debugger."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.samples import sample

from dockertpl.engine.probe import ask

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

RELOAD_SECONDS = 30
TAG = "dockertpl-test:dev"
#: Every manager and every server once, and a member of a workspace. The rest shares one template.
CASES = [
    pytest.param("uv", "package-src", "uvicorn", id="uv-package-src-uvicorn"),
    pytest.param("pip-hashed", "flat", "granian", id="pip-hashed-flat-granian"),
    *(
        pytest.param(*case, id="-".join(case), marks=pytest.mark.full)
        for case in [
            ("uv", "member-package", "granian"),
            ("uv", "member-flat", "uvicorn"),
            ("poetry", "package-flat", "gunicorn"),
            ("pdm", "src", "hypercorn"),
            ("pipenv", "flat", "uvicorn"),
            ("pip", "package-src", "gunicorn"),
            ("pip-compiled", "src", "hypercorn"),
            ("pyproject", "package-flat", "granian"),
        ]
    ),
]


@dataclass(frozen=True, kw_only=True)
class Developing(service.Service):
    """A container of the stage "dev": its ports here by those inside, and its command."""

    ports: dict[int, int]
    command: list[str]


@pytest.fixture(autouse=True)
def _bases(base_images: Callable[..., dict[str, BaseImage]]) -> None:
    base_images(*service.BASES)


@pytest.mark.parametrize(("manager", "layout", "server"), CASES)
def test_dev_reloads_and_has_the_development_dependencies(
    manager: str, layout: str, server: str, docker: host.Engine, tmp_path: Path
) -> None:
    app_dir = sample.write_sample(tmp_path / "orders", manager=manager, layout=layout, server=server)
    with _up(docker, app_dir) as developing:
        assert "--reload" in developing.command
        about = developing.json("/about")
        assert about["uid"] == 10001
        assert about["has_test_tools"]
        assert len(developing.json("/menu")) == 2
        assert (about["version"] is not None) == ("package" in layout)
        _change_until_seen(docker, developing)


def test_dev_starts_under_the_debugger_on_request(docker: host.Engine, tmp_path: Path) -> None:
    app_dir = sample.write_sample(tmp_path / "orders", manager="uv", layout="flat", server="uvicorn")
    with _up(docker, app_dir, "-d", "debugger=true") as developing:
        assert developing.command[:3] == ["python", "-m", "debugpy"]
        assert "--reload" in developing.command
        assert developing.json("/about")["uid"] == 10001
        with socket.create_connection(("127.0.0.1", developing.ports[5678]), 5) as connection:
            connection.settimeout(5)
            # The debug adapter sends the first message.
            assert connection.recv(16).startswith(b"Content-Length")


def test_prod_has_none_of_it(docker: host.Engine, tmp_path: Path) -> None:
    app_dir = sample.write_sample(tmp_path / "orders", manager="uv", layout="flat", server="uvicorn")
    service.new(app_dir, "-d", "debugger=true")
    assert service.build(docker, app_dir, tag=TAG).code == 0
    command = _inspect(docker, "image", TAG, ".Config.Cmd")
    assert command[0] == "uvicorn"
    assert "--reload" not in command
    assert docker.run("run", "--rm", TAG, "python", "-c", "import debugpy", check=False).returncode == 1
    docker.run("image", "rm", TAG)


@contextlib.contextmanager
def _up(docker: host.Engine, app_dir: Path, *options: str) -> Iterator[Developing]:
    """Do what `docker compose up` does with the rendered compose.yaml, on free ports."""
    service.new(app_dir, "-d", "compose=true", *options)
    (declared,) = yaml.safe_load((app_dir / "compose.yaml").read_text())["services"].values()
    context = (app_dir / declared["build"]["context"]).resolve()
    dockerfile = context / declared["build"].get("dockerfile", "Dockerfile")
    done = service.build(docker, dockerfile.parent, context=context, tag=TAG, target=declared["build"]["target"])
    assert done.code == 0, done.log
    inner = [int(port.rpartition(":")[2]) for port in declared["ports"]]
    name = docker.output("run", "--detach", *(f"--publish=127.0.0.1::{port}" for port in inner), TAG)
    try:
        found = _inspect(docker, "container", name, ".NetworkSettings.Ports")
        ports = {port: int(found[f"{port}/tcp"][0]["HostPort"]) for port in inner}
        deadline = time.monotonic() + service.HEALTHY_SECONDS
        while (answer := ask(ports[8000], "/health")).status != 200 and time.monotonic() < deadline:
            pass
        logs = docker.run("logs", name)
        assert answer.status == 200, logs.stdout + logs.stderr
        command = _inspect(docker, "image", TAG, ".Config.Cmd")
        yield Developing(name=name, port=ports[8000], ports=ports, command=command)
    finally:
        docker.run("rm", "--force", name)
        docker.run("image", "rm", TAG)


def _inspect(docker: host.Engine, kind: str, name: str, path: str) -> Any:
    return json.loads(docker.output(kind, "inspect", "--format", f"{{{{json {path}}}}}", name))


def _change_until_seen(docker: host.Engine, developing: Developing) -> None:
    """Change the code in the container as its user, until the service answers with the change.

    Repeat the change, since a reloader misses changes right after its start.
    """
    script = (
        "from pathlib import Path; import orders.routers.health as health; path = Path(health.__file__);"
        """path.write_text(path.read_text().replace('"ok"', '"reloaded"'))"""
    )
    deadline = time.monotonic() + RELOAD_SECONDS
    answer = ""
    while "reloaded" not in answer and time.monotonic() < deadline:
        docker.run("exec", developing.name, "python", "-c", script)
        again = time.monotonic() + 5
        while "reloaded" not in answer and time.monotonic() < again:
            answer = ask(developing.port, "/health").text
    assert "reloaded" in answer
