"""Promises of `dockertpl verify`, with a real engine."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dockertpl.engine import client as client_module
from dockertpl.engine.build import build
from dockertpl.engine.image import inspect_image
from dockertpl.engine.layers import layers
from dockertpl.engine.run import ready_seconds
from dockertpl.engine.strict import RunOptions

from . import host
from .bases import BaseImage

pytestmark = pytest.mark.engine

APP = Path(__file__).parent / "verify_app"
NAME = f"test-verify-{os.getpid()}"
FIGURES = ["ready_seconds", "healthy_seconds", "stop_seconds", "image_bytes", "layers", "build_seconds"]
KEYS = [
    "schema",
    "built",
    "healthy",
    "uid",
    "read_only",
    *FIGURES,
    "steps",
    "cached_steps",
    "services",
    "paths",
    "findings",
    "baseline",
    "tag",
    "error",
]


class Verified(NamedTuple):
    code: int
    facts: dict[str, Any]
    prose: str

    @property
    def error(self) -> str:
        return str(self.facts["error"]["message"])

    @property
    def remedy(self) -> str:
        return str(self.facts["error"]["remedy"])


Verify = Callable[..., Verified]


@pytest.fixture(autouse=True)
def nothing_is_left(docker: host.Engine) -> Iterator[None]:
    yield
    assert not _containers(docker)
    # The image stays under one tag until a test removes it.
    tags = docker.output("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"dockertpl/{NAME}").split()
    assert set(tags) <= {f"dockertpl/{NAME}:verify"}
    docker.run("image", "rm", *tags, check=False)


@pytest.fixture
def app(docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path) -> Path:
    base_images("python:3.13-slim-trixie")
    return Path(shutil.copytree(APP, tmp_path / NAME))


@pytest.fixture
def verify(docker: host.Engine, app: Path) -> Verify:
    def run(*options: str, add: str = "", drop: str = "", **environment: str) -> Verified:
        _change(app, add, drop)
        done = subprocess.run(
            _command(app, "--json", *options),
            capture_output=True,
            text=True,
            env={**docker.environ(), **environment},
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Verified(done.returncode, json.loads(done.stdout), done.stderr)

    return run


def _change(app: Path, add: str, drop: str) -> None:
    dockerfile = app / "Dockerfile"
    text = re.sub(drop, "", dockerfile.read_text(), flags=re.DOTALL) if drop else dockerfile.read_text()
    dockerfile.write_text(f"{text}{add}\n")


def _command(app: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "dockertpl", "verify", str(app), *options]


def _containers(docker: host.Engine) -> set[str]:
    """Return the containers of `verify` in this folder. The engine may run others at the same time."""
    mine = ("--filter", "label=org.dockertpl.verify=1", "--filter", f"name={NAME}")
    return set(docker.output("ps", "--all", "--quiet", *mine).split())


def _until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def test_a_good_service_is_built_run_strictly_and_stopped_with_every_figure(verify: Verify) -> None:
    done = verify("--env", "MODE=strict")
    facts = done.facts
    assert (done.code, facts["error"]) == (0, None)
    assert list(facts) == KEYS and facts["schema"] == 1
    assert (facts["built"], facts["healthy"], facts["uid"], facts["read_only"]) == (True, True, 10001, True)
    assert 0 < facts["ready_seconds"] <= facts["healthy_seconds"] < 30
    assert 0 < facts["stop_seconds"] < 2
    assert facts["image_bytes"] == sum(layer["bytes"] for layer in facts["layers"]) > 50_000_000
    assert facts["layers"][-2]["instruction"] == "COPY app.py /srv/"
    assert (facts["steps"], facts["build_seconds"] > 0) == (2, True)
    assert not done.prose


def test_a_second_build_is_cached_and_a_changed_file_is_not(verify: Verify, app: Path) -> None:
    verify("--env", "MODE=strict")
    assert verify("--env", "MODE=crash").facts["cached_steps"] == 2
    (app / "app.py").write_text(f"# {time.time_ns()}\n{(app / 'app.py').read_text()}")
    assert verify("--env", "MODE=crash").facts["cached_steps"] == 0


def test_the_figures_fit_on_a_terminal_of_80_columns(docker: host.Engine, app: Path) -> None:
    done = subprocess.run(_command(app), capture_output=True, text=True, env=docker.environ(), check=False)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(r"healthy in \d+\.\d s as uid 10001 on a read-only root(, .+)?", lines[-1])
    # The line before the table has a path, and it may be long.
    assert max(map(len, lines[1:])) <= 80
    for word in ("image", "built in", "ready in", "healthy in", "stopped in", "user", "read-only"):
        assert word in done.stderr


def test_the_report_on_a_crashed_app_shows_the_last_log_lines(verify: Verify) -> None:
    done = verify("--env", "MODE=crash")
    assert (done.code, done.facts["error"]["code"], done.facts["healthy"]) == (1, "unhealthy", False)
    assert "exited with code 1" in done.error
    # Two streams have no common order.
    assert sorted(done.error.splitlines()[-2:]) == ["  | line one", "  | the configuration is wrong"]
    assert done.facts["built"] is True and done.facts["image_bytes"]


def test_the_report_on_an_unhealthy_app_shows_what_the_probe_saw(verify: Verify) -> None:
    done = verify("--env", "MODE=sick", "--timeout", "5")
    assert (done.code, done.facts["error"]["code"]) == (1, "unhealthy")
    assert "did not become healthy in 5 s" in done.error
    assert "last health check: exit code 1, " in done.error and "HTTP Error 503" in done.error
    assert "GET /health from outside: status 503, 'the queue is away'" in done.error
    assert done.facts["ready_seconds"] is done.facts["healthy_seconds"] is None


def test_an_app_that_ignores_sigterm_is_an_error_that_names_the_exec_form(verify: Verify) -> None:
    done = verify("--env", "MODE=deaf")
    assert (done.code, done.facts["healthy"]) == (1, True)
    assert "killed after 10 seconds" in done.error
    assert "exec form" in done.remedy
    assert done.facts["stop_seconds"] >= 9.5


@pytest.mark.parametrize(("user", "uid"), [("USER root", 0), ("USER 0:0", 0)])
def test_root_is_an_error_though_it_is_healthy(verify: Verify, user: str, uid: int) -> None:
    done = verify(add=user)
    assert (done.code, done.facts["error"]["code"]) == (1, "root-user")
    assert (done.facts["healthy"], done.facts["uid"]) == (True, uid)
    assert "USER 10001" in done.remedy


def test_the_uid_of_a_named_user_is_reported(verify: Verify) -> None:
    assert verify(add="USER nobody").facts["uid"] == 65534


def test_a_write_to_the_read_only_root_is_explained_and_tmpfs_fixes_it(verify: Verify) -> None:
    done = verify("--env", "MODE=write")
    assert done.code == 1
    assert "writes to /srv/cache/index" in done.remedy and "--tmpfs /srv/cache" in done.remedy
    assert verify("--env", "MODE=write", "--tmpfs", "/srv/cache").facts["error"] is None
    assert verify("--env", "MODE=write", add='LABEL org.dockertpl.run.tmpfs="/srv/cache"').facts["error"] is None


def test_without_a_healthcheck_nothing_is_healthy(verify: Verify) -> None:
    done = verify(drop=r"HEALTHCHECK.*?\n(?=USER)")
    assert (done.code, done.facts["healthy"], done.facts["healthy_seconds"]) == (1, False, None)
    assert "no HEALTHCHECK" in done.error
    assert done.facts["ready_seconds"] > 0 and done.facts["stop_seconds"] < 2


def test_an_app_that_listens_to_itself_alone_is_found_out(verify: Verify) -> None:
    done = verify("--env", "MODE=inward")
    assert (done.code, done.facts["healthy"], done.facts["ready_seconds"]) == (1, False, None)
    assert "0.0.0.0" in done.remedy


def test_running_out_of_memory_is_called_that(verify: Verify) -> None:
    done = verify("--env", "MODE=eat", add="LABEL org.dockertpl.run.memory=40m")
    assert done.code == 1
    assert "out of memory" in done.error and "40m" in done.error


def test_a_command_that_is_not_there_is_named(verify: Verify) -> None:
    done = verify(add='CMD ["uvicorn", "app:app"]')
    assert (done.code, done.facts["error"]["code"]) == (1, "unhealthy")
    assert 'exec: "uvicorn": executable file not found' in done.error


def test_a_step_that_fails_is_named_with_its_last_lines(verify: Verify) -> None:
    done = verify(add="RUN echo the lock is stale >&2; exit 3")
    assert (done.code, done.facts["error"]["code"], done.facts["built"]) == (1, "build-failed", False)
    assert "Dockerfile, line 11: the build failed" in done.error
    assert "RUN echo the lock is stale >&2; exit 3: exit code 3" in done.error
    assert done.error.endswith("\n  | the lock is stale")


def test_a_file_that_is_not_in_the_context_is_named(verify: Verify) -> None:
    done = verify(add="COPY uv.lock /srv/")
    assert done.code == 1
    assert '"/uv.lock" is not in the build context' in done.error


def test_a_stage_that_does_not_exist_is_bad_input(verify: Verify) -> None:
    done = verify("--target", "prod", drop=r"\AFROM [^\n]+", add="FROM python:3.13-slim-trixie AS venv")
    assert done.code == 1  # no FROM at its beginning
    done = verify("--target", "prod", drop=r"\A.*(?=FROM)", add="USER 1000")
    assert (done.code, done.facts["error"]["code"]) == (2, "bad-input")
    assert "no stage prod" in done.error and "venv" in done.remedy


def test_environment_files_and_networks_reach_the_container(
    verify: Verify, docker: host.Engine, tmp_path: Path
) -> None:
    (tmp_path / "variables").write_text("SECOND=two\n")
    network = f"dockertpl-test-{os.getpid()}"
    given = ("--env", "MODE=ask", "--env", "FIRST=one", "--env-file", str(tmp_path / "variables"))
    docker.run("network", "create", network)
    try:
        assert verify(*given, "--network", network).code == 0
    finally:
        docker.run("network", "rm", network)
    done = verify(*given, "--network", network)
    assert (done.code, done.facts["error"]["code"]) == (2, "bad-input")
    assert network in done.error


def test_two_of_one_name_at_once_do_not_meet(docker: host.Engine, app: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(app, tmp_path / "other" / NAME))
    (other / "app.py").write_text((other / "app.py").read_text() + "# and more\n")
    both = [
        subprocess.Popen(_command(path, "--json"), stdout=subprocess.PIPE, env=docker.environ())
        for path in (app, other)
    ]
    facts = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    assert [fact["error"] for fact in facts] == [None, None]
    assert facts[1]["image_bytes"] - facts[0]["image_bytes"] == len("# and more\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_it_builds_ends_the_build(docker: host.Engine, app: Path, number: int) -> None:
    marker = f"sleep 6{os.getpid()}.{int(number)}"
    _change(app, f"RUN {marker}", "")
    with subprocess.Popen(_command(app), stderr=subprocess.PIPE, text=True, env=docker.environ()) as process:
        _until(lambda: _processes(marker))
        process.send_signal(number)
        assert process.wait(30) == 130
        assert process.stderr and "Traceback" not in process.stderr.read()
    _until(lambda: not _processes(marker))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_it_runs_removes_the_container(docker: host.Engine, app: Path, number: int) -> None:
    words = _command(app, "--env", "MODE=sick")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=docker.environ()) as process:
        _until(lambda: _containers(docker))
        process.send_signal(number)
        assert process.wait(30) == 130
        assert process.stderr and "Traceback" not in process.stderr.read()
    assert not _containers(docker)


def test_growth_over_a_commit_names_the_layer_and_its_files(
    verify: Verify, docker: host.Engine, app: Path, tmp_path: Path
) -> None:
    dockerfile = app / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("COPY app.py /srv/", "COPY . /srv/"))
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Before"]):
        subprocess.run(["git", *words], cwd=app, check=True)
    (app / "menu.bin").write_bytes(os.urandom(60_000_000))
    done = verify("--baseline", "HEAD", "--markdown", str(tmp_path / "summary.md"))
    assert (done.code, done.facts["healthy"]) == (1, True)
    # On a busy machine, a start may also be late.
    (finding,) = (found for found in done.facts["findings"] if found["rule"] != "baseline-ready")
    assert finding["rule"] == "baseline-bytes"
    assert [line.split("  ", 1)[-1] for line in finding["lines"]][:2] == [
        "COPY . /srv/ (0.0 MB before)",
        "+60.0 MB  /srv/menu.bin (new)",
    ]
    assert done.facts["baseline"]["ready_seconds"] > 0
    assert (tmp_path / "summary.md").read_text().startswith(f"### {NAME}: over budget\n")
    assert docker.output("image", "ls", "--quiet", f"dockertpl/{NAME}-baseline*") == ""


def test_without_an_engine_it_says_how_to_get_one(verify: Verify, tmp_path: Path) -> None:
    done = verify(DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    assert (done.code, done.facts["error"]["code"], done.facts["built"]) == (3, "no-engine", False)
    assert f"unix://{tmp_path}/no.sock" in done.error
    assert "systemctl start docker" in done.remedy


def test_bytes_are_those_of_the_files_once_each(
    docker: host.Engine, tmp_path: Path, client: client_module.Client
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "a").write_bytes(b"a" * 70_001)
    os.link(tmp_path / "first" / "a", tmp_path / "first" / "linked")
    (tmp_path / "b").write_bytes(b"b" * 12)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY first /\nENV A=b\nCOPY b /b\nCOPY b /c\n")
    image = build(client, context=tmp_path, dockerfile=tmp_path / "Dockerfile", tag=f"dockertpl/{NAME}:verify").image
    found = layers(client, image)
    assert [(layer.bytes, layer.instruction) for layer in found] == [
        (70_001, "COPY first /"),
        (12, "COPY b /b"),
        (12, "COPY b /c"),
    ]
    assert all(layer.digest.startswith("sha256:") for layer in found)


def test_a_start_can_be_measured_several_times(docker: host.Engine, app: Path, client: client_module.Client) -> None:
    result = build(client, context=app, dockerfile=app / "Dockerfile", tag=f"dockertpl/{NAME}:verify")
    facts, options = inspect_image(client, result.image), RunOptions(environment={"MODE": "strict"})
    for _ in range(2):
        assert 0.01 < ready_seconds(client, facts, name=NAME, options=options) < 30


@pytest.fixture
def client(docker: host.Engine) -> client_module.Client:
    return client_module.find(docker.environ())


def _processes(marker: str) -> list[str]:
    """Return the processes of this machine with that command line. The engine runs here as well."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if words == marker:
            found.append(path.parent.name)
    return found
