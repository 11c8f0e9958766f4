"""An apply that is killed at any moment is gone on with, and ends with one branch and one pull request each.

`python -m tests.fleet.kill` is the whole of it: 50 kills over 40 repositories.
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
