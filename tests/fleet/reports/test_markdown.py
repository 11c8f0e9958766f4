from __future__ import annotations

import re

from markdown_it import MarkdownIt
from tests.fleet.reports import things

from dockertpl.fleet.reports.columns import OUTCOMES, ROWS
from dockertpl.fleet.reports.markdown import LIMIT, markdown

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


def _rows(text: str) -> list[str]:
    return re.findall(r"<tr>.*?</tr>", PARSER.render(text), re.DOTALL)


def test_a_heading_the_totals_and_a_table_with_the_worst_first() -> None:
    text = "".join(markdown(things.ROWS, ROWS, title="The fleet"))
    assert text.startswith(
        "### The fleet\n\n3 images: **1** conflicted, **1** unmanaged, **1** up-to-date\n\n| State |"
    )
    rows = _rows(text)
    assert [re.findall("org/[a-z]+", row)[0] for row in rows[1:]] == ["org/torn", "org/empty", "org/fresh"]
    assert '<a href="https://example.com/org/torn/pull/7">Pull request</a>' in rows[1]
    assert "<td>⚠️\u00a0conflicted</td>" in rows[1]
    assert "<details><summary>Note: Both sides changed it.</summary>" in rows[1]
    assert "<br>Conflicts: <code>Dockerfile</code>" in rows[1]


def test_outcomes_are_shown_in_the_same_way() -> None:
    rows = _rows("".join(markdown(things.OUTCOMES, OUTCOMES)))
    assert len(rows) == 3
    assert "Note: GitHub refuses." in rows[1]


def test_five_thousand_rows_are_no_larger_than_a_step_s_summary_and_the_rest_is_counted() -> None:
    text = "".join(markdown(things.many(5_000), ROWS, limit=100_000))
    assert 90_000 < len(text.encode()) <= 100_000
    left = re.search(r"\n\n… and ([0-9,]+) more", text)
    assert left is not None
    assert len(_rows(text)) - 1 + int(left[1].replace(",", "")) == 5_000
    assert LIMIT == 1024 * 1024


def test_a_hostile_name_stays_in_its_cell_and_has_no_effect() -> None:
    for text in (
        "".join(markdown([things.hostile_row()], ROWS, title=things.HOSTILE)),
        "".join(markdown([things.hostile_outcome()], OUTCOMES)),
    ):
        text.encode()
        assert "<script" not in PARSER.render(text)
        assert len(_rows(text)) == 2
        assert not re.search(r"@everyone|fixes #1|javascript:", text)
        # Forges ignore names within <code>, and outside of it there are none.
        assert not re.search(r"@\w", re.sub(r"<code>.*?</code>", "", PARSER.render(text)))
