"""Every rendering of the pairwise set, once a session."""

from __future__ import annotations

import pytest
from tests.lint.rendering import Rendering, render_all


@pytest.fixture(scope="session")
def renderings(tmp_path_factory: pytest.TempPathFactory) -> list[Rendering]:
    return render_all(tmp_path_factory.mktemp("renderings"))
