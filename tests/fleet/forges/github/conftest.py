"""What tests of GitHub share."""

from __future__ import annotations

import pytest
from tests.fleet.forges.clock import Clock
from tests.fleet.forges.github.fake import FakeGitHub, fake

from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.forges.github import connect

__all__ = ["fake"]


@pytest.fixture
def clock() -> Clock:
    """Time that passes by waiting alone."""
    return Clock()


@pytest.fixture
def forge(fake: FakeGitHub, clock: Clock) -> Forge:
    """GitHub for one token, above a fake network."""
    return connect({"GITHUB_TOKEN": "secret-token"}, clock=clock, sleep=clock.sleep)
