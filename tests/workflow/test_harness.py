"""Parsing a build's log in the harness."""

from __future__ import annotations

import pytest

from . import harness

RUN = "#9 [deps 2/2] RUN npm ci"
FETCHED = "#9 sha256:f588e2f2 99.42MB / 99.42MB 0.6s done\n#9 extracting sha256:f588e2f2 4.3s done"


@pytest.mark.parametrize(
    ("lines", "cached"),
    [
        ((RUN, "#9 CACHED"), True),
        ((RUN, "#9 CACHED", RUN, FETCHED, "#9 DONE 5.0s"), True),
        ((RUN, FETCHED, "#9 DONE 5.0s"), True),
        ((RUN, FETCHED, "#9 DONE 5.0s", RUN, "#9 CACHED"), True),
        ((RUN, "#9 12.3 added 40 packages", "#9 DONE 13.0s"), False),
        ((RUN, "#9 ERROR: process did not complete"), False),
    ],
)
def test_a_step_whose_layer_is_fetched_did_not_run(lines: tuple[str, ...], cached: bool) -> None:
    step = harness.Step(job="image", matrix={}, name="Build", ok=True, log="\n".join(lines), seconds=1)
    name = "[deps 2/2] RUN npm ci"
    assert step.build() == harness.Build(ran=() if cached else (name,), cached=(name,) if cached else ())
