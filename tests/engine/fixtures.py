"""Fixtures for tests that need a container engine. DOCKERTPL_KEEP_ENGINE=1 leaves it running afterward."""

import os
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from . import apt, bases, host


def no_engine(error: Exception) -> NoReturn:
    """Skip the test, or fail on a machine that could have an engine, where a skip would hide missing coverage."""
    if os.environ.get("CI") or os.geteuid() == 0:
        pytest.fail(f"no container engine: {error}")
    pytest.skip(f"no container engine: {error}")


@pytest.fixture(scope="session")
def _running() -> Iterator[tuple[host.Engine, host.Registry]]:
    try:
        engine, registry = host.up()
    except (host.EngineUnavailableError, host.DockerError, apt.AptError) as error:
        no_engine(error)
    with pytest.MonkeyPatch.context() as patch:
        # Make a bare `docker` the client that was found, in the code under test too.
        for name in ("PATH", "DOCKERTPL_DOCKER"):
            patch.setenv(name, engine.environ()[name])
        yield engine, registry
    if os.environ.get("DOCKERTPL_KEEP_ENGINE") != "1":
        host.down(engine=engine.started, registry=registry.started)


@pytest.fixture(scope="session")
def docker(_running: tuple[host.Engine, host.Registry]) -> host.Engine:
    """The engine."""
    return _running[0]


@pytest.fixture(scope="session")
def registry(_running: tuple[host.Engine, host.Registry]) -> str:
    """The host:port of a registry on loopback."""
    return _running[1].address


@pytest.fixture(scope="session")
def base_images(docker: host.Engine) -> Callable[..., dict[str, bases.BaseImage]]:
    """`base_images(NAME, …)` makes sure that the engine has these base images."""
    return lambda *names: bases.ensure(names, engine=docker)
