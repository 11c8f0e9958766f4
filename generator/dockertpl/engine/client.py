"""The container engine: which client to use, whether it will do, and the one way to call it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dockertpl.errors import MachineError, NoEngineError

# HEALTHCHECK --start-interval came with Engine 25, --progress=rawjson with buildx 0.13.
MINIMUM_ENGINE = (25, 0)
MINIMUM_BUILDX = (0, 13)

INSTALL = "https://docs.docker.com/engine/install/"
_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Client:
    """A docker command that was seen to reach an engine that is new enough.

    Attributes:
        executable: The command's path.
        engine_version: The server's version, as it says it.
        buildx_version: The version of the buildx plugin.
    """

    executable: str
    engine_version: str
    buildx_version: str


class Output(NamedTuple):
    """What a call ended with; text that is no UTF-8 is kept readable, not refused."""

    code: int
    stdout: str
    stderr: str


class _Failure(NamedTuple):
    """Why one client will not do; the one that came furthest is the one worth telling."""

    progress: int
    error: NoEngineError


def find(environment: Mapping[str, str] = os.environ) -> Client:
    """Find a client whose engine answers and is new enough.

    Looks at `DOCKERTPL_DOCKER` alone if it is set, else at every `docker` on PATH: an old one may stand first.

    Raises:
        NoEngineError: There is none. Says what the one that came closest lacks, and how to get it.
    """
    failures = []
    for executable in _candidates(environment):
        found = _examine(executable)
        if isinstance(found, Client):
            return found
        failures.append(found)
    if failures:
        raise max(failures, key=lambda failure: failure.progress).error
    raise NoEngineError(
        "There is no container engine: no docker command is on PATH.",
        f"Install Docker Engine {MINIMUM_ENGINE[0]} or newer ({INSTALL}),\nor name the command in DOCKERTPL_DOCKER.",
    )


def call(client: Client, *arguments: str, timeout: float | None = None, check: bool = True) -> Output:
    """Run one short docker command and return what it said.

    It gets no shell, no input, and a session of its own: an interrupt reaches us, and we end what we started.

    Args:
        client: From `find`.
        arguments: The words after `docker`.
        timeout: Seconds until the engine counts as gone; a minute if it is None.
        check: Whether a failure is an error.

    Raises:
        NoEngineError: The engine is gone, or did not answer in time.
        MachineError: The command failed, and `check` is set.
    """
    timeout = _SECONDS if timeout is None else timeout
    try:
        output = _run(client.executable, *arguments, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise NoEngineError(
            f"The container engine did not answer `docker {arguments[0]}` in {timeout:.0f} seconds.",
            "Is the machine out of memory or disk space? Restart the engine if it stays so.",
        ) from None
    if output.code == 0 or not check:
        return output
    raise fault(client, output) or MachineError(f"`docker {' '.join(arguments[:2])}` failed: {says(output)}")


def fault(client: Client, output: Output) -> MachineError | None:
    """Return the error where a command failed because the engine went away or its disk is full, else None.

    Args:
        client: The engine.
        output: What the command ended with.
    """
    if output.code != 0 and re.search(r"no space left on device", output.stderr):
        return MachineError(
            f"The engine's disk is full: {says(output)}.",
            "`docker system df` shows what takes the room, `docker builder prune` frees the build cache.",
        )
    return _unreachable(client.executable, output.stderr) if output.code != 0 else None


def call_json(client: Client, *arguments: str, timeout: float | None = None) -> Any:
    """Run one docker command that prints a JSON value, and return it.

    Raises:
        MachineError: As `call`; or what it prints is not JSON.
    """
    text = call(client, *arguments, "--format", "{{json .}}", timeout=timeout).stdout
    with understood(*arguments[:2]):
        return json.loads(text)


@contextlib.contextmanager
def understood(*words: str) -> Iterator[None]:
    """Within it an answer of the engine is read: one that is cut off, or of another shape, is the engine's fault.

    Args:
        words: The command's first words.

    Raises:
        MachineError: It is.
    """
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise MachineError(
            f"The engine's answer to `docker {' '.join(words)}` is damaged.",
            "Restart the engine. Is its disk full (`docker system df`), or is the command a wrapper that prints more?",
        ) from error


def says(output: Output) -> str:
    """Return the one line of an engine's complaint that tells something, without its prefixes."""
    lines = [line.strip() for line in output.stderr.splitlines() if line.strip()]
    # What follows the message: an advice to run --help, or that the thing that was asked for did not happen.
    telling = [line for line in lines if not re.match(r"Run 'docker |(?:Error: )?failed to start containers", line)]
    lines = telling or lines or [f"exit code {output.code}"]
    return re.sub(r"^(?:docker: )?(?:Error response from daemon: |Error: |ERROR: )?", "", lines[-1])


def version(text: str) -> tuple[int, ...]:
    """Return the first dotted number in `text` as integers: "v0.29.1+ds1" is (0, 29, 1), and () is none."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _candidates(environment: Mapping[str, str]) -> list[str]:
    named = environment.get("DOCKERTPL_DOCKER")
    if named:
        executable = shutil.which(named, path=environment.get("PATH"))
        if executable is None:
            raise NoEngineError(
                f"DOCKERTPL_DOCKER names {named}, which is no command.", "Unset it, or give the path of docker."
            )
        return [executable]
    found: dict[Path, str] = {}
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        # With a path of one folder, which() also knows PATHEXT and what "executable" means here.
        executable = shutil.which("docker", path=folder) if folder else None
        if executable:
            found.setdefault(Path(executable).resolve(), executable)
    return list(found.values())


def _examine(executable: str) -> Client | _Failure:
    try:
        buildx = _run(executable, "buildx", "version", timeout=_SECONDS)
        server = _run(executable, "version", "--format", "{{json .}}", timeout=_SECONDS)
    except OSError as error:
        return _Failure(0, NoEngineError(f"{executable} does not run: {error.strerror}.", f"Reinstall it ({INSTALL})."))
    except subprocess.TimeoutExpired:
        return _Failure(
            2,
            NoEngineError(
                f"The container engine behind {executable} did not answer in {_SECONDS:.0f} seconds.", "Restart it."
            ),
        )
    if buildx.code != 0 or not version(buildx.stdout):
        return _Failure(
            1,
            NoEngineError(
                f"{executable} has no buildx, which builds the images.",
                f"Install the package docker-buildx-plugin or docker-buildx ({INSTALL}).",
            ),
        )
    gone = _unreachable(executable, server.stderr)
    engine = _server_version(server.stdout)
    if gone or not engine:
        return _Failure(2, gone or NoEngineError(f"{executable} reaches no engine: {says(server)}.", _start_it()))
    if version(engine) < MINIMUM_ENGINE:
        return _too_old("The container engine", engine, MINIMUM_ENGINE, "HEALTHCHECK --start-interval")
    if version(buildx.stdout) < MINIMUM_BUILDX:
        return _too_old("buildx", _dotted(version(buildx.stdout)), MINIMUM_BUILDX, "--progress=rawjson")
    return Client(executable=executable, engine_version=engine, buildx_version=_dotted(version(buildx.stdout)))


def _server_version(text: str) -> str:
    try:
        server = json.loads(text).get("Server")
    except (ValueError, AttributeError):
        return ""
    return str((server or {}).get("Version", ""))


def _too_old(what: str, found: str, needed: tuple[int, ...], why: str) -> _Failure:
    return _Failure(
        3,
        NoEngineError(
            f"{what} is version {found}; {_dotted(needed)} or newer is needed, because of {why}.",
            f"Update it ({INSTALL}). Distributions often carry an older one.",
        ),
    )


def _unreachable(executable: str, complaint: str) -> NoEngineError | None:
    """Tell whether a complaint means that no engine is behind the client."""
    if "permission denied" in complaint and re.search(r"docker\.sock|daemon socket|Docker API|docker API", complaint):
        return NoEngineError(
            "You may not talk to the container engine: permission denied on its socket.",
            "Join the group docker, then log in again:  sudo usermod -aG docker $USER\n"
            "(Whoever is in it is as good as root on this machine; rootless Docker is the other way.)",
        )
    if re.search(r"[Cc]annot connect to the Docker daemon|failed to connect to the docker API|no such host", complaint):
        match = re.search(r"(?:unix|tcp|ssh|npipe|http)://[^\s;,]*[^\s;,.]", complaint)
        place = f" at {match[0]}" if match else ""
        return NoEngineError(f"No container engine is running: {executable} finds none{place}.", _start_it())
    return None


def _start_it() -> str:
    return (
        "Start it (sudo systemctl start docker, or Docker Desktop).\n"
        "Where DOCKER_HOST or a docker context is set, check that it names the right one."
    )


def _dotted(parts: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in parts)


def _run(executable: str, *arguments: str, timeout: float) -> Output:
    done = subprocess.run(
        [executable, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
        start_new_session=True,
        env={**os.environ, "DOCKER_CLI_HINTS": "false"},
    )
    return Output(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
