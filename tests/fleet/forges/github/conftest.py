"""Fixtures of the GitHub tests."""

from __future__ import annotations

import pytest
from tests.fleet.forges.clock import Clock
from tests.fleet.forges.github.fake import FakeGitHub, fake

from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.forges.github import connect

__all__ = ["fake"]


@pytest.fixture
def clock() -> Clock:
    """A clock that moves only when a test sleeps."""
    return Clock()


@pytest.fixture
def forge(fake: FakeGitHub, clock: Clock) -> Forge:
    """GitHub with one token and a fake network."""
    return connect({"GITHUB_TOKEN": "secret-token"}, timing=clock.timing())
