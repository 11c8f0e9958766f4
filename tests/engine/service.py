"""Helpers for tests of built images: scaffold a sample, build it, run it and send requests."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from tests.samples import sample

from dockertpl.engine import client, container
from dockertpl.engine.image import inspect_image
from dockertpl.engine.progress import Progress
from dockertpl.engine.run import started
from dockertpl.engine.strict import RunOptions
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled

from . import host

VERSIONS: dict[str, str] = yaml.safe_load(sample.VERSIONS.read_text())
#: The base images of the samples' Dockerfiles.
BASES = ("python:3.13-slim-trixie", "debian:trixie-slim", f"ghcr.io/astral-sh/uv:{VERSIONS['uv']}")
NEXT_BASES = ("node:26-trixie-slim", "debian:trixie-slim")
SANDBOX_BASES = (*NEXT_BASES, BASES[-1])
HEALTHY_SECONDS = 60
BUILD_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Build:
    """A finished build.

    Attributes:
        code: Its exit code.
        ran: The steps that were not cached, as the engine names them, such as "[code 3/4] COPY . ./".
        log: The visible part of a failure: the last lines of the step and the engine's error; empty on success.
    """

    code: int
    ran: tuple[str, ...]
    log: str


class Answer(NamedTuple):
    """A successful answer."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, kw_only=True)
class Service:
    """A healthy container: its name, and its port on this machine."""

    name: str
    port: int

    def ask(self, path: str, **headers: str) -> Answer:
        """Return the successful answer to a GET. Write `_` for `-` in the names of headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=sent)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(body=answer.read(), headers=answer.headers)

    def get(self, path: str) -> bytes:
        """Return the body of a successful GET."""
        return self.ask(path).body

    def json(self, path: str) -> Any:
        """Return the JSON value of a successful GET."""
        return json.loads(self.get(path))


def dockertpl(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a command of dockertpl with --json; return its exit code and its object."""
    command = [sys.executable, "-m", "dockertpl", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def new(app_dir: Path, *options: str) -> dict[str, Any]:
    """Run `dockertpl new --defaults` on an application's folder; return the answers that were written."""
    code, result = dockertpl("new", str(app_dir), "--defaults", *options)
    assert code == 0, result
    root = next(folder for folder in (app_dir, *app_dir.parents) if (folder / ".git").exists())
    stored = yaml.safe_load((root / result["answers_file"]).read_text())
    return dict(resolve(Template(bundled()), folder_name=root.name, stored=stored).values)


def verify(app_dir: Path, answers: Mapping[str, Any], *options: str) -> str:
    """Run `dockertpl verify` on an application's image, and return its tag."""
    code, facts = dockertpl("verify", str(app_dir), *options)
    assert code == 0, facts
    assert facts["built"]
    assert facts["healthy"]
    assert facts["uid"] == 10001
    assert facts["read_only"]
    assert facts["stop_seconds"] < 2
    return f"dockertpl/{answers['name']}:verify"


def build(
    docker: host.Engine,
    app_dir: Path,
    *,
    context: Path | None = None,
    tag: str = "",
    target: str = "",
    options: Sequence[str] = (),
) -> Build:
    """Build the Dockerfile in a folder. Without a tag, keep only the cache."""
    words = [f"--file={app_dir / 'Dockerfile'}", *options]
    words += ["--load", f"--tag={tag}"] if tag else []
    words += [f"--target={target}"] if target else []
    command = ["buildx", "build", "--progress=rawjson", *words, str(context or app_dir)]
    done = docker.run(*command, check=False, timeout=BUILD_SECONDS)
    progress = Progress()
    for line in done.stderr.splitlines():
        progress.feed(line)
    failed = progress.failed()
    said = [*(failed.log_lines(60) if failed else []), *progress.summary]
    log = "\n".join(said) if done.returncode else ""
    ran = tuple(step.name for step in progress.steps() if step.started and not step.cached)
    return Build(code=done.returncode, ran=ran, log=log)


@contextlib.contextmanager
def running(
    image: str,
    environment: Mapping[str, str] | None = None,
    *,
    healthy: bool = True,
    seconds: float = HEALTHY_SECONDS,
) -> Iterator[Service]:
    """Run an image with strict options, wait until it is healthy (or only listens), and remove it after the block."""
    engine = client.find()
    facts = inspect_image(engine, image)
    with started(engine, facts, name="test", options=RunOptions(environment=environment or {})) as found:
        assert found.port
        deadline = time.monotonic() + seconds
        state = found.state
        while state.running and state.health != "healthy" and time.monotonic() < deadline:
            if not healthy and state.probes:
                break
            state = container.state(engine, found.name)
        log = "\n".join(container.logs(engine, found.name, 30))
        assert state.running, log
        assert state.health == "healthy" or not healthy, log
        yield Service(name=found.name, port=found.port)
