"""The promises of the README are measured or can be run."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_figure_was_measured() -> None:
    figures = (ROOT / "docs" / "explanation" / "figures.md").read_text()
    claimed = re.findall(r"\b[\d.]+ (?:MB|s)\b", README.replace("\n  ", " "))
    assert len(claimed) > 5
    assert [figure for figure in claimed if figure not in figures] == []


def test_the_dockerfile_is_as_short_as_it_says() -> None:
    (lines,) = re.findall(r"`Dockerfile` of (\d+) lines", README)
    assert int(lines) == (ROOT / "examples" / "fastapi" / "Dockerfile").read_text().count("\n")


def test_the_contributor_s_commands_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = re.findall(r"^\$ make ([\w-]+)", README, re.MULTILINE)
    assert named == ["demo", "test"]
    assert [name for name in named if f"\n{name}: " not in makefile] == []


def test_the_picture_shows_both_commands_and_fetches_nothing() -> None:
    (path,) = re.findall(r'<img src="([^"]+)"', README)
    text = (ROOT / path).read_text()
    shown = " ".join(ElementTree.fromstring(text).itertext())
    assert "$ dockertpl new" in shown
    assert "$ dockertpl verify" in shown
    assert "healthy in" in shown
    assert re.findall(r"url\(|href|@import|@font-face", text) == []
