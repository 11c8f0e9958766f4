"""Random updates end as Copier's do, or in a named way that is safer. No manual edit is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.merge import scenarios
from tests.merge.scenario_proofs import DEPARTURES
from tests.merge.scenario_template import QUICK_ENVIRONMENT, make_template

pytestmark = pytest.mark.slow

#: `python -m tests.merge.scenarios --count 2000` is the full run.
COUNTS = [12, pytest.param(60, marks=pytest.mark.thorough)]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with five versions of the template."""
    return make_template(tmp_path_factory.mktemp("scenarios") / "template")


@pytest.mark.parametrize("count", COUNTS)
def test_updates_are_copier_s_or_safer(
    count: int, template: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in QUICK_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @given(st.integers(min_value=0, max_value=10**6))
    def check(number: int) -> None:
        outcome = scenarios.run(number, template, tmp_path_factory.mktemp("scenario"))
        assert not outcome.faults, outcome.label
        assert {name for names in outcome.departures.values() for name in names} <= DEPARTURES.keys()

    check()
