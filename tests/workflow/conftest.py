"""An engine of a runner with its base images, and a registry namespace for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.engine import apt, host
from tests.engine.fixtures import _running, base_images, docker, no_engine
from tests.engine.fixtures import registry as registry_address

from . import harness
from .registry import Registry

__all__ = ["_running", "base_images", "docker", "registry_address"]


@pytest.fixture(scope="session")
def registry(registry_address: str) -> Registry:
    """The loopback registry, read over HTTP."""
    return Registry(address=registry_address)


@pytest.fixture(scope="session")
def machine(_running: object) -> Iterator[harness.Machine]:
    """The machine for jobs: an engine with base images, without a build cache, and with a scanner for `sbom: true`."""
    try:
        with harness.lent() as machine:
            yield machine
    except (host.EngineUnavailableError, apt.AptError) as error:
        no_engine(error)
