"""The container engine of the tests: the machine's own, or one that this module installs and starts.

`python -m tests.engine.host up` prints shell exports, so `eval "$(python -m tests.engine.host up)"` works.
"""

import argparse
import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import apt

MIN_CLIENT = (28,)
MIN_SERVER = (25,)
ENGINE_PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "docker-compose")
REGISTRY_CONTAINER = "dockertpl-tests-registry"
REGISTRY_IMAGE = "registry:2"
START_SECONDS = 60
STOP_SECONDS = 60

log = logging.getLogger(__name__)


class EngineUnavailableError(Exception):
    """No container engine is available. The message says why and what to do."""


class DockerError(Exception):
    """A docker command failed. The message holds its output."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A running engine and its client."""

    docker: str
    started: bool = False

    def run(
        self,
        *args: str,
        check: bool = True,
        input: str | None = None,  # noqa: A002 - the name that subprocess.run gives it
        timeout: float | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker ARGS` and capture its output. A failure raises with that output."""
        done = subprocess.run(
            [self.docker, *args],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**self.environ(), **(env or {})},
            check=False,
        )
        if check and done.returncode:
            # The log of a build is long, and the error is at its end.
            said = (done.stdout + done.stderr)[-5000:]
            raise DockerError(f"docker {' '.join(args)} exited {done.returncode}:\n{said}")
        return done

    def output(self, *args: str, timeout: float | None = None) -> str:
        """Return the stripped output of `docker ARGS`."""
        return self.run(*args, timeout=timeout).stdout.strip()

    def environ(self) -> dict[str, str]:
        """Return an environment in which a bare `docker` is this engine's client."""
        path = os.environ.get("PATH", os.defpath)
        if shutil.which("docker", path=path) != self.docker:
            # A folder with only this program: its own folder would put other programs first as well.
            folder = run_dir() / "bin" / self.docker.replace("/", "_")
            folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                (folder / "docker").symlink_to(self.docker)
            path = f"{folder}{os.pathsep}{path}"
        return {**os.environ, "PATH": path, "DOCKERTPL_DOCKER": self.docker}


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry on a loopback port, without TLS."""

    address: str
    started: bool = False


def cache_dir() -> Path:
    """Return the folder that keeps images, layers and the registry's blobs after a test run."""
    path = Path(os.environ.get("DOCKERTPL_TEST_CACHE") or "~/.cache/dockertpl-tests").expanduser()
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def run_dir() -> Path:
    """Return the folder for pid files and sockets, which a reboot empties.

    It is short, since a socket path has at most 108 characters.
    """
    path = Path("/run/dockertpl-tests") if os.geteuid() == 0 and Path("/run").is_dir() else cache_dir() / "run"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Keep other processes on this machine out of the same work."""
    with (run_dir() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def up() -> tuple[Engine, Registry]:
    """Return an engine and a registry, and start them if needed. A second call returns the same ones."""
    with lock("engine"):
        engine = _engine()
        return engine, _registry(engine)


def down(*, engine: bool = True, registry: bool = True) -> None:
    """Stop what any call of `up` started, and nothing else."""
    with lock("engine"):
        if registry:
            _stop_registry()
        if engine:
            _stop("dockerd")


def find() -> Engine | None:
    """Return the engine that answers now, with the newest client. Start nothing."""
    named = os.environ.get("DOCKERTPL_DOCKER")
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/bin"]
    paths = [Path(named)] if named else [Path(folder) / "docker" for folder in folders]
    clients = [(version, str(path)) for path in dict.fromkeys(paths) if (version := _client_version(path))]
    for version, docker in sorted(clients, key=lambda client: client[0], reverse=True):
        if version >= MIN_CLIENT and _server_version(docker) >= MIN_SERVER:
            return Engine(docker=docker)
    return None


def _client_version(docker: Path) -> tuple[int, ...]:
    if not os.access(docker, os.X_OK):
        return ()
    buildx = _quiet(str(docker), "buildx", "version")
    return _version(_quiet(str(docker), "--version")) if buildx else ()


def _server_version(docker: str, *options: str) -> tuple[int, ...]:
    return _version(_quiet(docker, *options, "version", "--format", "{{.Server.Version}}"))


def _version(text: str) -> tuple[int, ...]:
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


def _quiet(*command: str) -> str:
    """Return the output of a command, or nothing if it fails or hangs."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _engine() -> Engine:
    engine = find()
    if engine:
        return engine
    if not apt.usable():
        raise EngineUnavailableError(
            "no container engine answers (Docker 28 or newer with buildx is needed), and only root on Debian can "
            "install one here. Start Docker, or set DOCKERTPL_DOCKER to its client."
        )
    if (
        _version(_quiet("dockerd", "--version")) < MIN_CLIENT
        or not _client_version(Path("/usr/bin/docker"))
        or not _quiet("/usr/bin/docker", "compose", "version")
    ):
        log.info("installing %s from %s", ", ".join(ENGINE_PACKAGES), apt.NEWER_SUITE)
        apt.install(["iptables", "docker-registry"], newer=ENGINE_PACKAGES, cache=cache_dir())
        engine = find()  # with an init system, the package starts its own engine
        if engine:
            return engine
    log.info("starting dockerd")
    _stop("dockerd")  # an engine that does not answer, or the pid file of a killed one
    _start_dockerd()
    engine = find()
    if not engine:
        raise EngineUnavailableError(
            "dockerd runs but no client reaches it: is DOCKER_HOST or a docker context pointing elsewhere?"
        )
    return Engine(docker=engine.docker, started=True)


def _start_dockerd() -> None:
    start_dockerd("engine", exec_root="exec", pid_file="dockerd", host="")


def start_dockerd(name: str, *options: str, exec_root: str, pid_file: str, host: str) -> None:
    """Start a dockerd and wait until it answers.

    Args:
        name: The folder in the tests' cache that holds its configuration, its log and all its data.
        options: More options of dockerd.
        exec_root: The folder in `run_dir()` for its sockets.
        pid_file: The name of its pid file, for `stop`.
        host: The address to listen on, or empty for dockerd's default.

    Raises:
        EngineUnavailableError: It did not start. The message holds the end of its log.
    """
    home = cache_dir() / name
    home.mkdir(exist_ok=True)
    config = home / "daemon.json"
    # Use our own configuration, and ignore the machine's /etc/docker/daemon.json.
    config.write_text(json.dumps({"features": {"containerd-snapshotter": True}}) + "\n")
    containerd = run_dir() / exec_root / "containerd" / "containerd.pid"
    if not _running("containerd", containerd):
        containerd.unlink(missing_ok=True)  # or dockerd would wait for the process that has that pid now
    address = ("--host", host) if host else ()
    process = _start(
        "dockerd",
        *("--config-file", str(config), "--data-root", str(home / "data")),
        *("--exec-root", str(run_dir() / exec_root), "--pidfile", str(_pid_file(pid_file))),
        *address,
        *options,
        log_file=home / "dockerd.log",
    )
    _wait(process, lambda: _server_version("/usr/bin/docker", *address) != (), home / "dockerd.log")


def _registry(engine: Engine) -> Registry:
    address_file = run_dir() / "registry.addr"
    if address_file.exists() and _registry_answers(address := address_file.read_text()):
        return Registry(address=address)
    log.info("starting a registry")
    address = f"127.0.0.1:{_free_port(5000)}"
    if not shutil.which("docker-registry") and apt.usable():
        apt.install(["docker-registry"], cache=cache_dir())
    if shutil.which("docker-registry"):
        _start_registry(address)
    else:
        engine.run("run", "--detach", "--name", REGISTRY_CONTAINER, "--publish", f"{address}:5000", REGISTRY_IMAGE)
    address_file.write_text(address)
    return Registry(address=address, started=True)


def _start_registry(address: str) -> None:
    home = cache_dir() / "registry"
    home.mkdir(exist_ok=True)
    config = home / "config.json"  # the registry reads YAML, and JSON is YAML
    storage = {"filesystem": {"rootdirectory": str(home / "data")}, "delete": {"enabled": True}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": address}}) + "\n")
    process = _start("docker-registry", "serve", str(config), log_file=home / "registry.log")
    _pid_file("docker-registry").write_text(str(process.pid))
    _wait(process, lambda: _registry_answers(address), home / "registry.log")


def _registry_answers(address: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{address}/v2/", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise EngineUnavailableError("no port is free on 127.0.0.1")


def _start(*command: str, log_file: Path) -> subprocess.Popen[bytes]:
    """Start a daemon that outlives this process."""
    with log_file.open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/"
        )


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log_file: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = "".join(log_file.read_text(errors="replace").splitlines(keepends=True)[-15:])
            raise EngineUnavailableError(f"{process.args!r} did not come up; {log_file} ends with:\n{said}")
        time.sleep(0.2)
    # The daemon outlives this process, so its Popen object must not warn that it still runs.
    process.returncode = 0


def _pid_file(name: str) -> Path:
    return run_dir() / f"{name}.pid"


def _running(name: str, pid_file: Path) -> int | None:
    """Return the pid of a daemon that we started, if it still runs."""
    try:
        pid = int(pid_file.read_text())
        command = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
    except (OSError, ValueError):
        return None
    # The kernel reuses pids: a process is ours only with that name and our folder in its arguments.
    ours = any(str(folder) in argument for folder in (cache_dir(), run_dir()) for argument in command[1:])
    return pid if ours and Path(command[0]).name == name else None


def _stop(name: str) -> None:
    stop(name, pid_file=name)


def stop(name: str, *, pid_file: str) -> None:
    """Stop a daemon that we started, if it runs.

    Args:
        name: The name of its program.
        pid_file: The name of its pid file.

    Raises:
        EngineUnavailableError: It does not stop.
    """
    _end(name, _pid_file(pid_file))


def _end(name: str, pid_file: Path) -> None:
    pid = _running(name, pid_file)
    if pid:
        log.info("stopping %s (pid %s)", name, pid)
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _running(name, pid_file) and time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # our own child would stay as a zombie
            time.sleep(0.1)
        if _running(name, pid_file):
            raise EngineUnavailableError(f"{name} (pid {pid}) does not end on SIGTERM")
    pid_file.unlink(missing_ok=True)


def _stop_registry() -> None:
    address_file = run_dir() / "registry.addr"
    if address_file.exists() and not _pid_file("docker-registry").exists() and (engine := find()):
        engine.run("rm", "--force", "--volumes", REGISTRY_CONTAINER)
    _stop("docker-registry")
    address_file.unlink(missing_ok=True)


def _status() -> int:
    engine, address_file = find(), run_dir() / "registry.addr"
    if not engine:
        sys.stdout.write("engine: none answers\n")
        return 1
    facts = "{{.ServerVersion}}, {{.Driver}}, cgroup v{{.CgroupVersion}}, memory limits: {{.MemoryLimit}}"
    owner = f"ours, pid {pid}" if (pid := _running("dockerd", _pid_file("dockerd"))) else "the machine's"
    registry = address_file.read_text() if address_file.exists() else ""
    sys.stdout.write(f"engine: {engine.output('info', '--format', facts)} ({owner}), client {engine.docker}\n")
    sys.stdout.write(f"registry: {registry if registry and _registry_answers(registry) else 'none answers'}\n")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Start, stop or show the engine."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.host", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    command = parser.parse_args(argv).command
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if command == "status":
            return _status()
        if command == "down":
            down()
            return 0
        engine, registry = up()
    except (EngineUnavailableError, DockerError, apt.AptError) as error:
        log.error("%s", error)
        return 3
    path = engine.environ()["PATH"]
    sys.stdout.write(
        f"export DOCKERTPL_DOCKER={engine.docker}\nexport DOCKERTPL_REGISTRY={registry.address}\nexport PATH={path!r}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
