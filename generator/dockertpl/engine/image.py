"""How an image says that it is to be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockertpl.engine.client import Client, call_json, understood


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """How an image says that it is to be run.

    Attributes:
        image: The engine's id for it.
        user: What USER says; empty is root.
        port: The port of EXPOSE (the lowest TCP one; the engine does not keep their order), or None.
        labels: Its labels.
        probe: The command of its HEALTHCHECK; empty without one.
        workdir: The folder that its command starts in.
        patience: Seconds that it has to get healthy, at least a minute: the probe's start period and its retries.
    """

    image: str
    user: str
    port: int | None
    labels: Mapping[str, str]
    probe: tuple[str, ...]
    workdir: str = "/"
    patience: float = 60.0

    @property
    def has_healthcheck(self) -> bool:
        """Whether the engine can tell that it is healthy."""
        return bool(self.probe)


def inspect_image(client: Client, image: str) -> ImageFacts:
    """Return how an image in the engine's store is to be run. Raises MachineError if it is not there."""
    known = call_json(client, "image", "inspect", image)
    with understood("image", "inspect"):
        return _facts(known)


def _facts(known: Any) -> ImageFacts:
    config = known.get("Config") or {}
    ports = [
        int(port) for port, _, kind in (p.partition("/") for p in config.get("ExposedPorts") or {}) if kind != "udp"
    ]
    check = config.get("Healthcheck") or {}
    test = check.get("Test") or []
    # In nanoseconds; what is 0 or missing is the engine's own default.
    interval = (check.get("Interval") or 30e9) / 1e9
    patience = (check.get("StartPeriod") or 0) / 1e9 + (check.get("Retries") or 3) * interval
    return ImageFacts(
        image=str(known["Id"]),
        user=str(config.get("User") or ""),
        port=min(ports, default=None),
        labels=config.get("Labels") or {},
        probe=("/bin/sh", "-c", *test[1:]) if test[:1] == ["CMD-SHELL"] else tuple(test[1:]),
        workdir=str(config.get("WorkingDir") or "/"),
        patience=max(60.0, patience) if test else 60.0,
    )
