"""The summary of `verify --markdown`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dockertpl.commands import verify_markdown
from dockertpl.commands.baseline import figures
from dockertpl.commands.budgets import Figures
from dockertpl.errors import BadInputError, BuildFailedError, DockertplError, OverBudgetError, UnhealthyError

FACTS: dict[str, Any] = {
    "built": True,
    "healthy": True,
    "healthy_seconds": 0.9,
    "uid": 10001,
    "read_only": True,
    "paths": [],
    "ready_seconds": 0.84,
    "image_bytes": 181_000_000,
    "layers": [
        {"bytes": 80_000_000, "instruction": "# debian.sh"},
        {"bytes": 101_000_000, "instruction": "RUN a | b `c`"},
    ],
    "findings": [],
}
BEFORE = figures("main", {**FACTS, "image_bytes": 160_000_000, "ready_seconds": 1.0}, again=None)


def document(facts: dict[str, Any], baseline: Figures | None = None, error: Any = None) -> list[str]:
    return verify_markdown.document("orders", {**FACTS, **facts}, baseline, error).splitlines()


def test_a_healthy_image_has_a_headline_its_figures_and_its_layers() -> None:
    assert document({}) == [
        "### orders: healthy in 0.9 s as uid 10001 on a read-only root",
        "",
        "| | |",
        "|---|--:|",
        "| size, unpacked | 181.0 MB |",
        "| layers | 2 |",
        "| start | 0.84 s |",
        "",
        "| size | layer |",
        "|--:|---|",
        r"| 101.0 MB | `RUN a \| b 'c'` |",
        "| 80.0 MB | `# debian.sh` |",
    ]


def test_beside_a_baseline_each_figure_has_its_change() -> None:
    lines = document({"layers": [FACTS["layers"][0], {"bytes": 121_000_000, "instruction": "RUN a | b `c`"}]}, BEFORE)
    assert "| | `main` | now | change |" in lines
    assert "| size, unpacked | 160.0 MB | 181.0 MB | +13.1% |" in lines
    assert "| start | 1.00 s | 0.84 s | -16.0% |" in lines
    assert r"| 121.0 MB | +20.0 MB | `RUN a \| b 'c'` |" in lines
    assert "| 80.0 MB |  | `# debian.sh` |" in lines


def test_a_finding_has_its_lines_as_they_are() -> None:
    finding = {"rule": "max-bytes", "message": "Too <large>.", "lines": ["+1.0 MB  ```x```"], "remedy": "Raise *it*."}
    lines = document({"findings": [finding]}, error=OverBudgetError("Too <large>."))
    assert lines[0] == "### orders: over budget"
    assert lines[lines.index(r"**Too \<large\>.**") :] == [
        r"**Too \<large\>.**",
        "",
        "````",
        "+1.0 MB  ```x```",
        "````",
        "",
        r"Raise \*it\*.",
    ]


@pytest.mark.parametrize(
    ("facts", "error", "headline"),
    [
        ({"healthy": False}, UnhealthyError, "### orders: broken: not healthy"),
        (
            {"healthy": False, "layers": [], "image_bytes": None},
            BuildFailedError,
            "### orders: broken: it does not build",
        ),
    ],
)
def test_an_image_that_fails_says_why(facts: dict[str, Any], error: type[DockertplError], headline: str) -> None:
    lines = document(facts, error=error("It answered 500.\n  RuntimeError: closed", "Open the kitchen."))
    assert lines[0] == headline
    assert lines[-5:] == ["```", "It answered 500.", "  RuntimeError: closed", "Open the kitchen.", "```"]


def test_stdout_has_one_of_json_and_markdown(tmp_path: Path) -> None:
    verify_markdown.check("-", as_json=False)
    verify_markdown.check(str(tmp_path / "summary.md"), as_json=True)
    with pytest.raises(BadInputError, match="--json"):
        verify_markdown.check("-", as_json=True)
    for wrong in (tmp_path, tmp_path / "none" / "summary.md"):
        with pytest.raises(BadInputError, match="--markdown"):
            verify_markdown.check(str(wrong), as_json=False)
