"""The run settings of an image, with a scripted docker."""

import json
from pathlib import Path
from typing import Any

import pytest

from dockertpl.engine.client import Client
from dockertpl.engine.image import ImageFacts, inspect_image


def inspected(tmp_path: Path, config: dict[str, Any] | None) -> ImageFacts:
    (tmp_path / "known").write_text(json.dumps({"Id": "sha256:i", "Config": config}))
    script = tmp_path / "docker"
    script.write_text(f"#!/bin/sh\ncat {tmp_path}/known\n")
    script.chmod(0o755)
    return inspect_image(Client(executable=str(script), engine_version="28", buildx_version="0.29"), "x")


@pytest.mark.parametrize(
    ("config", "port", "probe"),
    [
        ({"ExposedPorts": {"9000/tcp": {}, "8000/tcp": {}, "53/udp": {}}}, 8000, ()),
        ({"Healthcheck": {"Test": ["CMD", "x", "y z"]}}, None, ("x", "y z")),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "x || exit 1"]}}, None, ("/bin/sh", "-c", "x || exit 1")),
        ({"Healthcheck": {"Test": ["NONE"]}, "ExposedPorts": {"53/udp": {}}}, None, ()),
        (None, None, ()),
    ],
)
def test_how_an_image_says_that_it_is_to_be_run(
    tmp_path: Path, config: dict[str, Any] | None, port: int | None, probe: tuple[str, ...]
) -> None:
    facts = inspected(tmp_path, config)
    assert (facts.image, facts.user, facts.port, facts.probe) == ("sha256:i", "", port, probe)
    assert facts.has_healthcheck == bool(probe)


@pytest.mark.parametrize(
    ("check", "seconds"),
    [
        ({"StartPeriod": 180_000_000_000, "Interval": 30_000_000_000}, 270),
        ({"StartPeriod": 30_000_000_000, "Interval": 10_000_000_000, "Retries": 2}, 60),
        ({"Retries": 5}, 150),
    ],
)
def test_a_container_has_its_start_period_and_its_retries_and_at_least_a_minute(
    tmp_path: Path, check: dict[str, Any], seconds: int
) -> None:
    assert inspected(tmp_path, {"Healthcheck": {"Test": ["CMD", "x"], **check}}).patience == seconds
