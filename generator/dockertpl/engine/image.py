"""Read an image's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockertpl.engine.client import Client, call_json, understood


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """An image's configuration.

    Attributes:
        image: The engine's id for it.
        user: Its USER. Empty means root.
        port: The lowest TCP port of EXPOSE, or None.
        labels: Its labels.
        probe: The command of its HEALTHCHECK, or an empty tuple.
        workdir: Its WORKDIR.
        patience: Seconds to become healthy: the health check's start period and retries, at least a minute.
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
        """Whether it has a HEALTHCHECK."""
        return bool(self.probe)


def inspect_image(client: Client, image: str) -> ImageFacts:
    """Return the configuration of an image in the engine's store. Raises MachineError if it is missing."""
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
    # In nanoseconds. 0 or a missing value means the engine's default.
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
