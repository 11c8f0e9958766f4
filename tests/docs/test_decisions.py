"""Every decision is a dated file, and the index lists each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))


def test_decisions_are_numbered_without_a_gap() -> None:
    assert DECISIONS
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name[:4])
def test_a_decision_has_its_number_date_status_and_parts_and_is_in_the_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    head = re.match(
        r"# (\d+)\. (.+)\n\n- Date: (20\d\d-[01]\d-[0-3]\d)\n- Status: ((?:Accepted|Superseded by \[).*)\n", text
    )
    assert head
    number, title, date, status = head.groups()
    assert int(number) == int(path.name[:4])
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"]
    row = f"| [{number}]({path.name}) | {title} | {date} | {status} |"
    assert row in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()


def test_what_one_decision_supersedes_says_so_too() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in DECISIONS}
    for name, text in texts.items():
        for old in re.findall(r"^- Status: Accepted, supersedes \[\d+\]\((.+)\)$", text, flags=re.MULTILINE):
            assert f"Superseded by [{int(name[:4])}]({name})" in texts[old]
