"""The gate waits for as long as the image's own probe may fail."""

from __future__ import annotations

import pytest

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled


@pytest.mark.parametrize("ci", ["github", "gitlab"])
@pytest.mark.parametrize(("given", "seconds"), [({}, 120), ({"health_start_period": 180}, 270)])
def test_the_gate_waits_for_the_start_period_and_the_retries(ci: str, given: dict[str, int], seconds: int) -> None:
    template = Template(bundled())
    answers = resolve(template, folder_name="shop", data={"kind": "python-fastapi", "ci": ci, **given})
    texts = [file.content.decode() for file in render(template, answers).values()]
    assert sum(f"for _ in $(seq {seconds}); do" in text for text in texts) == 1
