"""The container engine: find a suitable client, and call it."""

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
    """A docker command that reaches an engine of a suitable version.

    Attributes:
        executable: The command's path.
        engine_version: The server's version.
        buildx_version: The version of the buildx plugin.
    """

    executable: str
    engine_version: str
    buildx_version: str


class Output(NamedTuple):
    """The result of a call. Invalid UTF-8 is replaced."""

    code: int
    stdout: str
    stderr: str


class _Failure(NamedTuple):
    """Why a client is not suitable. The one that came furthest is reported."""

    progress: int
    error: NoEngineError


def find(environment: Mapping[str, str] = os.environ) -> Client:
    """Find a client with a running engine of a suitable version.

    Use only `DOCKERTPL_DOCKER` if it is set. Otherwise try every `docker` on PATH, since the first may be old.

    Raises:
        NoEngineError: No client is suitable. The message is about the one that came closest.
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
        "No container engine found: no docker command is on PATH.",
        f"Install Docker Engine {MINIMUM_ENGINE[0]} or newer ({INSTALL}),\nor set DOCKERTPL_DOCKER to the command.",
    )


def call(client: Client, *arguments: str, timeout: float | None = None, check: bool = True) -> Output:
    """Run a short docker command and return its output.

    It runs without a shell and input, in its own session: an interrupt only reaches this process.

    Args:
        client: From `find`.
        arguments: The words after `docker`.
        timeout: The timeout in seconds. Default: a minute.
        check: Whether to raise an error if the command fails.

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
            "Check the machine's memory and disk space, or restart the engine.",
        ) from None
    if output.code == 0 or not check:
        return output
    raise fault(client, output) or MachineError(f"`docker {' '.join(arguments[:2])}` failed: {says(output)}")


def fault(client: Client, output: Output) -> MachineError | None:
    """Return the error if a command failed because the engine is gone or its disk is full, or None."""
    if output.code != 0 and re.search(r"no space left on device", output.stderr):
        return MachineError(
            f"The engine's disk is full: {says(output)}.",
            "Run `docker system df` to see the usage, and `docker builder prune` to free the build cache.",
        )
    return _unreachable(client.executable, output.stderr) if output.code != 0 else None


def call_json(client: Client, *arguments: str, timeout: float | None = None) -> Any:
    """Run a docker command that prints JSON, and return the value.

    Raises:
        MachineError: As for `call`, or the output is not JSON.
    """
    text = call(client, *arguments, "--format", "{{json .}}", timeout=timeout).stdout
    with understood(*arguments[:2]):
        return json.loads(text)


@contextlib.contextmanager
def understood(*words: str) -> Iterator[None]:
    """Turn errors about an invalid answer of the engine into `MachineError`. `words` are the command's first words."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise MachineError(
            f"The engine's answer to `docker {' '.join(words)}` is damaged.",
            "Restart the engine. Check its disk with `docker system df`. A wrapper of docker must not print more text.",
        ) from error


def says(output: Output) -> str:
    """Return the most useful line of an error message, without prefixes."""
    lines = [line.strip() for line in output.stderr.splitlines() if line.strip()]
    # Skip lines after the message: the hint to run --help, or that a container did not start.
    telling = [line for line in lines if not re.match(r"Run 'docker |(?:Error: )?failed to start containers", line)]
    lines = telling or lines or [f"exit code {output.code}"]
    return re.sub(r"^(?:docker: )?(?:Error response from daemon: |Error: |ERROR: )?", "", lines[-1])


def version(text: str) -> tuple[int, ...]:
    """Return the first version number in a text: "v0.29.1+ds1" is (0, 29, 1). Without a number, return ()."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _candidates(environment: Mapping[str, str]) -> list[str]:
    named = environment.get("DOCKERTPL_DOCKER")
    if named:
        executable = shutil.which(named, path=environment.get("PATH"))
        if executable is None:
            raise NoEngineError(
                f"DOCKERTPL_DOCKER is {named}, which is not a command.", "Unset it, or set it to the path of docker."
            )
        return [executable]
    found: dict[Path, str] = {}
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        # shutil.which handles PATHEXT and permissions, so call it for one folder at a time.
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
                f"The container engine of {executable} did not answer in {_SECONDS:.0f} seconds.", "Restart the engine."
            ),
        )
    if buildx.code != 0 or not version(buildx.stdout):
        return _Failure(
            1,
            NoEngineError(
                f"{executable} has no buildx plugin, which dockertpl needs for builds.",
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
            f"{what} is version {found}, but {why} needs {_dotted(needed)} or newer.",
            f"Update it ({INSTALL}). Packages of distributions are often older.",
        ),
    )


def _unreachable(executable: str, complaint: str) -> NoEngineError | None:
    """Return the error if a message means that the engine cannot be reached, or None."""
    if "permission denied" in complaint and re.search(r"docker\.sock|daemon socket|Docker API|docker API", complaint):
        return NoEngineError(
            "Cannot connect to the container engine: permission denied on its socket.",
            "Join the group docker, then log in again:  sudo usermod -aG docker $USER\n"
            "(This group gives root access to the machine. Rootless Docker is an alternative.)",
        )
    if re.search(r"[Cc]annot connect to the Docker daemon|failed to connect to the docker API|no such host", complaint):
        match = re.search(r"(?:unix|tcp|ssh|npipe|http)://[^\s;,]*[^\s;,.]", complaint)
        place = f" at {match[0]}" if match else ""
        return NoEngineError(f"No container engine is running: {executable} cannot connect{place}.", _start_it())
    return None


def _start_it() -> str:
    return (
        "Start it (sudo systemctl start docker, or Docker Desktop).\n"
        "If DOCKER_HOST or a docker context is set, check that it is right."
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
