"""`resume` completes an `apply` that was killed at any moment, with one branch and one pull request each.

The full run is `python -m tests.fleet.kill`: 50 kills over 40 repositories.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fleet import kill

pytestmark = pytest.mark.slow

KILLS, REPOSITORIES, SEED = 5, 8, 20261125


def test_nothing_is_doubled_and_nothing_is_lost(tmp_path: Path) -> None:
    seen = kill.run(tmp_path, kills=KILLS, count=REPOSITORIES, seed=SEED)
    assert seen.faults == []
    assert seen.kills == KILLS
