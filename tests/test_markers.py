"""The markers of slow tests are known, used by a command of the Makefile, and documented for contributors."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SELECTED = dict(re.findall(r"^(test[\w-]*):.*\n(?:\t.*\n)*?\t.*-m \"([^\"]+)\"", MAKEFILE, re.MULTILINE))


def test_every_marker_is_one_that_a_command_selects_by() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = {text.partition(":")[0] for text in config["tool"]["pytest"]["ini_options"]["markers"]}
    assert markers == {"engine", "full", "slow", "thorough"}
    assert markers == set(re.findall(r"\w+", " ".join(re.findall(r"-m \"?([^\"\n]+)", MAKEFILE)))) & markers


@pytest.mark.parametrize(
    ("command", "left_out"), [("test-fast", {"engine", "slow", "thorough"}), ("test", {"engine", "thorough"})]
)
def test_a_command_leaves_out_what_takes_long(command: str, left_out: set[str]) -> None:
    assert set(re.findall(r"not (\w+)", SELECTED[command])) == left_out


def test_what_is_left_out_is_run_in_ci() -> None:
    assert "-m thorough tests" in MAKEFILE.partition("\ntest-engine:")[2].partition("\n\n")[0]
    assert {"make test", "make test-engine"} <= set((ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines())


def test_each_command_is_in_the_guide_for_contributors() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in SELECTED if f"`make {name}`" not in guide] == []


def test_some_tests_are_slow_and_some_thorough() -> None:
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py")]
    for marker in ("slow", "thorough"):
        assert sum(f"pytest.mark.{marker}" in text for text in texts if "def test_some_tests" not in text) > 5
