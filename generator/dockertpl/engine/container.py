"""Create, start, inspect, stop and remove a container."""

from __future__ import annotations

import contextlib
import io
import json
import re
import secrets
import subprocess
import tarfile
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from dockertpl.engine import owner
from dockertpl.engine.client import Client, Output, call, call_json, fault, says, understood
from dockertpl.engine.progress import ESCAPES
from dockertpl.errors import MachineError, NoEngineError
from dockertpl.interrupts import deferred

LABEL = "org.dockertpl.verify"

_CLEANUP_SECONDS = 20.0
_COMMAND_SECONDS = 10.0  # the timeout of a command in a container


class State(NamedTuple):
    """A container's state, in the engine's words and by the engine's clock (seconds since the epoch)."""

    running: bool
    exit_code: int
    out_of_memory: bool
    started: float
    finished: float
    health: str
    probes: tuple[Probe, ...]
    ports: tuple[int, ...]
    read_only: bool


class Probe(NamedTuple):
    """One run of the image's HEALTHCHECK."""

    ended: float
    exit_code: int
    output: str


def new_name(base: str) -> str:
    """Return a unique container name."""
    return f"dockertpl-verify-{base}-{secrets.token_hex(4)}"


def create(
    client: Client, name: str, image: str, options: Sequence[str], command: Sequence[str] = (), *, lasting: bool = False
) -> Output:
    """Create a container, and return the engine's output. A missing image is not pulled.

    An interrupt waits for the end of this call, so the caller can always `remove` the container. If this process is
    killed, the next run removes the container.

    Args:
        client: The engine.
        name: The container's name.
        image: Its image.
        options: Options of `docker create`.
        command: The command instead of the image's CMD.
        lasting: Whether the container may outlive this process.
    """
    with deferred():
        words = ["--name", name, f"--label={LABEL}=1", "--pull=never", "--log-driver=json-file"]
        words += [] if lasting else [f"--label={owner.label()}"]
        words += options
        return _unless_gone(client, call(client, "container", "create", *words, "--", image, *command, check=False))


def start(client: Client, name: str) -> Output:
    """Start a container, and return the engine's output."""
    with deferred():
        return _unless_gone(client, call(client, "container", "start", name, check=False))


def _unless_gone(client: Client, output: Output) -> Output:
    """Return the output, or raise MachineError if the engine is gone."""
    if gone := fault(client, output):
        raise gone
    return output


def remove(client: Client, name: str) -> None:
    """Remove a container with its anonymous volumes, running or not. A missing container is not an error."""
    # If the engine is gone, that was already reported. The next run removes the container.
    with deferred(), contextlib.suppress(NoEngineError):
        call(client, "container", "rm", "--force", "--volumes", name, check=False, timeout=_CLEANUP_SECONDS)


def state(client: Client, name: str) -> State:
    """Return a container's state."""
    known = call_json(client, "container", "inspect", name)
    with understood("container", "inspect"):
        return _state(known)


def _state(known: Any) -> State:
    now = known["State"]
    health = now.get("Health") or {}
    bindings = (known.get("NetworkSettings") or {}).get("Ports") or {}
    return State(
        running=bool(now.get("Running")),
        exit_code=int(now.get("ExitCode", 0)),
        out_of_memory=bool(now.get("OOMKilled")),
        started=timestamp(now.get("StartedAt", "")),
        finished=timestamp(now.get("FinishedAt", "")),
        health=str(health.get("Status", "")),
        probes=tuple(
            Probe(timestamp(entry["End"]), int(entry["ExitCode"]), str(entry["Output"]).strip())
            for entry in health.get("Log") or ()
        ),
        ports=tuple(int(binding["HostPort"]) for bound in bindings.values() for binding in bound or ()),
        read_only=bool(known["HostConfig"].get("ReadonlyRootfs")),
    )


def succeeds(client: Client, name: str, command: Sequence[str]) -> bool:
    """Run a command in a container as its user, and return whether it succeeded in time."""
    try:
        return call(client, "container", "exec", name, *command, check=False, timeout=_COMMAND_SECONDS).code == 0
    except NoEngineError:
        return False  # The command hangs. If the engine is gone, the next call fails.


def logs(client: Client, name: str, lines: int) -> list[str]:
    """Return the last lines of stdout and stderr in order of time, without empty lines."""
    output = call(client, "container", "logs", "--timestamps", f"--tail={lines}", name, check=False)
    stamped = [
        line for text in (output.stdout, output.stderr) for line in ESCAPES.sub("", text).splitlines() if " " in line
    ]
    stamped.sort(key=lambda line: line.partition(" ")[0])
    return [text.rstrip() for _, _, text in (line.partition(" ") for line in stamped) if text.strip()][-lines:]


def running_uid(client: Client, name: str) -> int | None:
    """Return the uid of the container's first process on the engine's machine, or None if it is unknown."""
    output = call(client, "container", "top", name, "-o", "pid,uid", check=False)
    rows = [line.split() for line in output.stdout.splitlines()[1:]]
    # The first process has the lowest pid, except after a wrap-around.
    uids = [(int(row[0]), int(row[1])) for row in rows if len(row) == 2 and all(cell.isdigit() for cell in row)]
    return min(uids)[1] if uids else None


def configured_uid(client: Client, name: str, user: str) -> int | None:
    """Return the uid of USER. A name is looked up in the container's /etc/passwd. None if it is not found."""
    user = user.partition(":")[0]
    if user.isdigit() or not user:
        return int(user or 0)
    # `docker cp` returns an archive, and needs no shell in the image.
    done = subprocess.run(
        [client.executable, "container", "cp", f"{name}:/etc/passwd", "-"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    try:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            content = archive.extractfile(archive.next() or "passwd")
            text = content.read().decode(errors="replace") if content else ""
    except (tarfile.TarError, KeyError):
        return None
    match = re.search(rf"^{re.escape(user)}:[^:]*:(\d+):", text, re.MULTILINE)
    return int(match[1]) if match else None


def shifts_uids(client: Client) -> bool:
    """Return whether uids inside differ from those outside (rootless engine, user namespaces)."""
    text = call(client, "info", "--format", "{{json .SecurityOptions}}").stdout
    with understood("info"):
        options = json.loads(text) or []
        return any("rootless" in option or "userns" in option for option in options)


def is_local(client: Client) -> bool:
    """Return whether the engine publishes ports on this machine's loopback address."""
    output = call(client, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}", check=False)
    host = re.fullmatch(r"(\w+)://(?:[^@/]*@)?(\[[^\]]*\]|[^:/]*).*", output.stdout.strip())
    return host is None or host[1] in ("unix", "npipe") or host[2] in ("localhost", "127.0.0.1", "[::1]")


def stop(client: Client, name: str, grace: int) -> tuple[State, float]:
    """Send SIGTERM, and SIGKILL after `grace` seconds. Return the final state and the seconds until the end."""
    sent_wall, sent = time.time(), time.monotonic()
    # -t, because its long name differs between clients.
    words = ["container", "stop", "--signal=SIGTERM", "-t", str(grace), name]
    output = call(client, *words, timeout=grace + 60, check=False)
    took = time.monotonic() - sent
    if output.code != 0:
        raise fault(client, output) or MachineError(
            f"The engine could not stop the container: {says(output)}.", "Restart the engine."
        )
    ended = state(client, name)
    # Prefer the engine's time: it excludes the time of the command. This needs a common clock.
    by_engine = ended.finished - sent_wall
    return ended, by_engine if 0 <= by_engine <= took else took


def timestamp(text: str) -> float:
    """Return the engine's RFC 3339 time, with up to nine decimals, as seconds since the epoch. 0 if it is not set."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    if not match or text.startswith("0001"):
        return 0.0
    whole = datetime.fromisoformat(match[1] + ("+00:00" if match[3] == "Z" else match[3]))
    return whole.timestamp() + float(match[2] or 0)
