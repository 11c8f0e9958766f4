"""A row shows the state of its pull request."""

from __future__ import annotations

import pytest
from tests.fleet.fakes import Bench

from dockertpl.fleet.proposals import with_proposal


@pytest.mark.parametrize(
    ("state", "shown", "url"),
    [("open", "pr-open", "org/app#1"), ("merged", "outdated", ""), ("closed", "outdated", "")],
)
def test_an_open_pull_request_is_the_state(state: str, shown: str, url: str, bench: Bench) -> None:
    repository = bench.remote()
    (item,) = bench.plan(repository)
    assert with_proposal(item, bench.forge) == item.row
    bench.apply([item])
    bench.forge.change(1, state=state)
    row = with_proposal(item, bench.forge)
    assert (row.state, row.proposal) == (shown, url)
    assert ("closed" in " ".join(row.notes)) == (state == "closed")
