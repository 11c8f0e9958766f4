"""Label containers and networks with their owner, and remove those of runs that were killed."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dockertpl.engine.client import Client, call
from dockertpl.errors import DockertplError
from dockertpl.interrupts import deferred

#: The label on everything that a run creates and removes. Only labeled items are swept.
LABEL = "org.dockertpl.owner"

_PROC = Path("/proc")
_PATIENCE = 10.0  # seconds to wait for a sweep after the block


class Owner(NamedTuple):
    """A process, identified across restarts and reused ids.

    Attributes:
        machine: The machine's id and name.
        boot: The id of the current boot.
        space: The process namespace, since a pid is only unique within it.
        pid: The process id.
        start: The start time, since pids are reused.
    """

    machine: str
    boot: str
    space: str
    pid: int
    start: str

    def __str__(self) -> str:
        return "/".join(map(str, self))


def label() -> str:
    """Return this process's label for `docker create --label`."""
    return f"{LABEL}={me()}"


def me() -> Owner:
    """Return this process as an owner."""
    machine, boot, space = _here()
    return Owner(machine, boot, space, os.getpid(), _start(os.getpid()))


def is_gone(text: str, *, same_machine: Callable[[], bool]) -> bool:
    """Return whether the process of a label is certainly gone.

    Args:
        text: The label's value.
        same_machine: Returns whether the engine runs on this machine. Then a reboot ended all earlier runs.
    """
    parts = text.split("/")
    if len(parts) != len(Owner._fields) or not parts[3].isdigit() or not all(parts):
        return False
    owner, here = Owner(parts[0], parts[1], parts[2], int(parts[3]), parts[4]), me()
    if not all(here[:3]) or not here.start:
        return False
    if owner.boot != here.boot:
        return owner.machine == here.machine and same_machine()
    return owner.space == here.space and owner.start != _start(owner.pid)


def sweep(client: Client) -> None:
    """Remove the containers and networks of runs that are gone."""
    # Containers first: a network in use cannot be removed.
    for kind, listing, removal in (
        ("container", ("ls", "--all"), ("rm", "--force", "--volumes")),
        ("network", ("ls",), ("rm",)),
    ):
        form = f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}'
        words = (kind, *listing, "--no-trunc", f"--filter=label={LABEL}", "--format", form)
        rows = [line.partition(" ") for line in call(client, *words, check=False).stdout.splitlines()]
        gone = [name for name, _, owner in rows if is_gone(owner, same_machine=lambda: _through_socket(client))]
        if gone:
            # Ignore errors: another run may have removed them.
            with deferred():
                call(client, kind, *removal, *gone, check=False)


@contextlib.contextmanager
def sweeping(client: Client) -> Iterator[None]:
    """Sweep in the background while the block runs. Errors are ignored: the next run sweeps again."""

    def sweep_quietly() -> None:
        with contextlib.suppress(DockertplError):
            sweep(client)

    thread = threading.Thread(target=sweep_quietly, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(_PATIENCE)


@cache
def _here() -> tuple[str, str, str]:
    """Return the machine, the boot and the process namespace. Unknown parts are empty."""
    machine = _read(Path("/etc/machine-id")) or "-"
    boot = _read(_PROC / "sys/kernel/random/boot_id") or _says("sysctl", "-n", "kern.bootsessionuuid")
    space = "-"
    if _PROC.is_dir():
        space = ""
        with contextlib.suppress(OSError):
            space = re.sub(r"\D", "", (_PROC / "self/ns/pid").readlink().name)
    return f"{machine}-{re.sub(r'[^A-Za-z0-9.-]', '-', socket.gethostname())}", boot, space


def _start(pid: int) -> str:
    """Return a process's start time. Empty if the process has ended."""
    if _PROC.is_dir():
        # The name in parentheses may have any character. Zombies count as ended.
        fields = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
        return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""
    return re.sub(r"\W+", "-", _says("ps", "-o", "lstart=", "-p", str(pid)))


def _through_socket(client: Client) -> bool:
    """Return whether the client uses a socket on this machine."""
    host = call(client, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}", check=False).stdout.strip()
    return host.startswith("unix://")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _says(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
