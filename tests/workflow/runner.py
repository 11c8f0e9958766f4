"""A second engine that represents a GitHub runner. Tests may clear its build cache at any time.

Other tests, and other users of this machine, share the first engine.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from tests.engine import apt, bases, host

NAME = "runner"
#: BuildKit's scanner for an SBOM.
SCANNER = "docker/buildkit-syft-scanner:stable-1"
PID_FILE = "dockerd-runner"
BRIDGE = "dockertpl-run0"
SUBNET = "10.213.77.0/24"
GATEWAY = "10.213.77.1/24"


@dataclass(frozen=True, kw_only=True)
class Runner(host.Engine):
    """A running engine, and the path of its socket."""

    socket: str

    def environ(self) -> dict[str, str]:
        """Return an environment in which a bare `docker` is this engine's client."""
        return {**super().environ(), "DOCKER_HOST": f"unix://{self.socket}"}

    def forget(self) -> None:
        """Become a machine without earlier builds: keep only base images and the scanner."""
        listed = self.output("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        kept = {SCANNER, *(name for name in listed if bases.catalog().find(name))}
        built = [name for name in listed if not name.endswith(":<none>") and name not in kept]
        if built:
            self.run("image", "rm", "--force", *built)
        self.run("image", "prune", "--force")
        self.run("builder", "prune", "--all", "--force")


@contextlib.contextmanager
def started() -> Iterator[Runner]:
    """Start the engine with an empty build cache. Stop it after the block.

    Raises:
        host.EngineUnavailableError: It cannot be had here; the message says why and what to do.
    """
    if not (apt.usable() and shutil.which("dockerd")):
        raise host.EngineUnavailableError(
            "the runner's engine is a dockerd of its own, which takes root and a Debian with dockerd"
        )
    socket = str(host.run_dir() / "runner.sock")
    with host.lock(NAME), _bridge():  # one at a time on a machine
        host.stop("dockerd", pid_file=PID_FILE)  # left over from a killed test run
        # Its own rules would break those of the other engine.
        options = ("--bridge", BRIDGE, "--iptables=false", "--ip6tables=false")
        host.start_dockerd(NAME, *options, exec_root="runner", pid_file=PID_FILE, host=f"unix://{socket}")
        try:
            runner = Runner(docker="/usr/bin/docker", started=True, socket=socket)
            runner.forget()
            yield runner
        finally:
            host.stop("dockerd", pid_file=PID_FILE)


@contextlib.contextmanager
def _bridge() -> Iterator[None]:
    """Make a network for its containers: a bridge with a route to the outside."""
    rules = (
        ("nat", "POSTROUTING", "--source", SUBNET, "!", "--out-interface", BRIDGE, "--jump", "MASQUERADE"),
        ("filter", "FORWARD", "--in-interface", BRIDGE, "--jump", "ACCEPT"),
        ("filter", "FORWARD", "--out-interface", BRIDGE, "--jump", "ACCEPT"),
    )
    if not (shutil.which("ip") and shutil.which("iptables")):
        apt.install(["iproute2", "iptables"], cache=host.cache_dir())
    _remove(rules)
    _run("ip", "link", "add", BRIDGE, "type", "bridge")
    _run("ip", "address", "add", GATEWAY, "dev", BRIDGE)
    _run("ip", "link", "set", BRIDGE, "up")
    for table, chain, *rule in rules:
        _run("iptables", "--wait", "--table", table, "--insert", chain, *rule)
    try:
        yield
    finally:
        _remove(rules)


def _remove(rules: tuple[tuple[str, ...], ...]) -> None:
    for table, chain, *rule in rules:
        _run("iptables", "--wait", "--table", table, "--delete", chain, *rule, check=False)
    _run("ip", "link", "delete", BRIDGE, check=False)


def _run(*command: str, check: bool = True) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise host.EngineUnavailableError(f"{' '.join(command)}: {done.stderr.strip()}")
