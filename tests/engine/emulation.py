"""Run programs of another processor with Debian's QEMU, unless the kernel has another emulator."""

from __future__ import annotations

import logging
import platform
import subprocess
from pathlib import Path

from . import apt, host

PACKAGE = "qemu-user"  # of the newer suite: Python's imports are five times as fast as with QEMU 7.2
BINFMT = Path("/proc/sys/fs/binfmt_misc")
# One line for each processor, in the kernel's format.
REGISTRATIONS = Path("/usr/share/qemu/binfmt.d")
NATIVE = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
QEMU = {"linux/amd64": "qemu-x86_64", "linux/arm64": "qemu-aarch64"}

log = logging.getLogger(__name__)


def is_native(wanted: str) -> bool:
    """Return whether a platform is that of this machine."""
    return NATIVE.get(platform.machine()) == wanted


def ensure(wanted: str) -> None:
    """Make sure that programs of a platform run here and in containers.

    Args:
        wanted: Such as "linux/arm64".

    Raises:
        host.EngineUnavailableError: They do not run, and only root on Debian can change that.
        apt.AptError: QEMU cannot be installed.
    """
    if is_native(wanted):
        return
    name = QEMU[wanted]
    with host.lock("emulation"):
        if _registered(name):
            return
        if not apt.usable():
            raise host.EngineUnavailableError(
                f"programs of {wanted} do not run on this machine, and only root on Debian can install {PACKAGE} here"
            )
        registration = REGISTRATIONS / f"{name}.conf"
        if not registration.exists():
            log.info("installing %s", PACKAGE)
            apt.install([], newer=[PACKAGE], cache=host.cache_dir())
        if not (BINFMT / "register").exists():
            _mount()
        if not _registered(name):
            _register(registration)
        log.info("%s: run by %s", wanted, name)


def _registered(name: str) -> bool:
    """Return whether the kernel has it with the flag F. Then it works in containers, which lack the emulator's file."""
    file = BINFMT / name
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return False
    return "enabled" in lines and any(line.startswith("flags:") and "F" in line for line in lines)


def _register(registration: Path) -> None:
    try:
        (BINFMT / "register").write_text(registration.read_text())
    except OSError as error:
        raise host.EngineUnavailableError(f"the kernel takes no emulator from {registration}: {error}") from error


def _mount() -> None:
    command = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise host.EngineUnavailableError(f"{' '.join(command)}: {done.stderr.strip()}")
