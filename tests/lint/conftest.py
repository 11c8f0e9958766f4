"""The renderings of the pairwise set, made once a session."""

from __future__ import annotations

import pytest
from tests.lint.kinds import kind_of
from tests.lint.rendering import Rendering, render_all


@pytest.fixture(scope="session")
def renderings(tmp_path_factory: pytest.TempPathFactory) -> list[Rendering]:
    found = render_all(tmp_path_factory.mktemp("renderings"))
    assert found, "without renderings these tests would pass and check nothing"
    return found


@pytest.fixture(scope="session")
def running(renderings: list[Rendering]) -> list[Rendering]:
    """The renderings of images that run a program by default."""
    found = [rendering for rendering in renderings if kind_of(rendering.answers).runs]
    assert found
    return found
