"""Whose a container or a network is, so that what a killed run left behind goes, and what a living one has stays."""

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

#: On everything that a run makes and removes at its end. Without it nothing is ever swept.
LABEL = "org.dockertpl.owner"

_PROC = Path("/proc")
_PATIENCE = 10.0  # seconds that a sweep may go on after the block


class Owner(NamedTuple):
    """A process, identified across restarts and reused ids.

    Attributes:
        machine: The machine's id, with its name.
        boot: The id of the time since it was started.
        space: The process namespace: the same number is another process in another container.
        pid: The number of the process.
        start: When it started, as the machine tells it; the number is used again.
    """

    machine: str
    boot: str
    space: str
    pid: int
    start: str

    def __str__(self) -> str:
        return "/".join(map(str, self))


def label() -> str:
    """Return the label of what this process makes, as `docker create --label` takes it."""
    return f"{LABEL}={me()}"


def me() -> Owner:
    """Return this process."""
    machine, boot, space = _here()
    return Owner(machine, boot, space, os.getpid(), _start(os.getpid()))


def is_gone(text: str, *, same_machine: Callable[[], bool]) -> bool:
    """Tell whether the process of a label is certainly gone. Where that cannot be known, it is not.

    Args:
        text: The label's value.
        same_machine: Tells whether the engine runs on this machine, so that what it started before a reboot ended then.
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
    """Remove the containers and networks of runs that are gone. Those of a living run are left alone.

    Args:
        client: The engine.
    """
    # Containers first: a network that one of them is on cannot be removed.
    for kind, listing, removal in (
        ("container", ("ls", "--all"), ("rm", "--force", "--volumes")),
        ("network", ("ls",), ("rm",)),
    ):
        form = f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}'
        words = (kind, *listing, "--no-trunc", f"--filter=label={LABEL}", "--format", form)
        rows = [line.partition(" ") for line in call(client, *words, check=False).stdout.splitlines()]
        gone = [name for name, _, owner in rows if is_gone(owner, same_machine=lambda: _through_socket(client))]
        if gone:
            # Another run may be sweeping too: one that is away by now is no error.
            with deferred():
                call(client, kind, *removal, *gone, check=False)


@contextlib.contextmanager
def sweeping(client: Client) -> Iterator[None]:
    """Sweep while the block runs: what is left matters to nobody in it. Where the sweep fails, the next one does it.

    Args:
        client: The engine.
    """

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
    """Return the machine, the boot and the process namespace; a part that is unknown is empty."""
    machine = _read(Path("/etc/machine-id")) or "-"
    boot = _read(_PROC / "sys/kernel/random/boot_id") or _says("sysctl", "-n", "kern.bootsessionuuid")
    space = "-"
    if _PROC.is_dir():
        space = ""
        with contextlib.suppress(OSError):
            space = re.sub(r"\D", "", (_PROC / "self/ns/pid").readlink().name)
    return f"{machine}-{re.sub(r'[^A-Za-z0-9.-]', '-', socket.gethostname())}", boot, space


def _start(pid: int) -> str:
    """Return when a process started; empty if there is none."""
    if _PROC.is_dir():
        # The name, in parentheses, may hold anything. A process that nobody has waited for has ended all the same.
        fields = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
        return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""
    return re.sub(r"\W+", "-", _says("ps", "-o", "lstart=", "-p", str(pid)))


def _through_socket(client: Client) -> bool:
    """Tell whether the engine is reached by a socket of this machine."""
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
