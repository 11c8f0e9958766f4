"""The HTML page. Its script runs in Node if Node is installed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.fleet.reports import things

from dockertpl.fleet.model import STATES, Row
from dockertpl.fleet.reports import html as module
from dockertpl.fleet.reports.columns import OUTCOMES, ROWS
from dockertpl.fleet.reports.html import html

SCRIPT = Path(module.__file__).parent / "data" / "page.js"
NODE = shutil.which("node")
VOID = {"meta", "input", "br"}


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.rows: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "tr" in self.open:
            self.rows[-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def _page(text: str) -> _Page:
    page = _Page(text)
    assert page.open == []
    return page


def test_each_thing_is_a_row_with_its_details_and_each_state_a_filter_with_its_count() -> None:
    text = "".join(html(things.ROWS, ROWS, title="The fleet", note="Made on a Monday"))
    page = _page(text)
    assert len(page.rows) == 4
    assert "org/torn" in page.rows[1]
    assert "Conflicts: Dockerfile" in page.rows[1]
    assert page.of("a") == [{"href": "https://example.com/org/torn/pull/7", "rel": "noopener noreferrer"}]
    assert [box["value"] for box in page.of("input") if box["type"] == "checkbox"] == [
        "conflicted",
        "unmanaged",
        "up-to-date",
    ]
    assert "Made on a Monday" in text
    outcomes = _page("".join(html(things.OUTCOMES, OUTCOMES, title="The run")))
    assert "GitHub refuses." in outcomes.rows[1]


def test_a_headline_says_how_many_update_and_how_many_need_you() -> None:
    rows = [Row(repository=f"org/{number}", state="outdated") for number in range(21)]
    rows += [Row(repository="org/torn", state="conflicted"), Row(repository="org/dirty", state="dirty")]
    rows += [Row(repository=f"org/fresh-{number}", state="up-to-date") for number in range(7)]
    text = "".join(html(rows, ROWS, title="The fleet"))
    assert '<p class="headline">21 of 30 update automatically, 2 need you.</p>' in text
    assert "1 of 2 are done, 1 needs you." in "".join(html(things.OUTCOMES, OUTCOMES, title="The run"))
    assert "Everything is up to date." in "".join(html(rows[-2:], ROWS, title=""))
    assert "Nothing to do." in "".join(html([], ROWS, title=""))


def test_what_is_urgent_comes_first_and_conflicts_before_all() -> None:
    rows = [Row(repository=f"org/{state}", state=state) for state in STATES]
    page = _page("".join(html(reversed(rows), ROWS, title="The fleet")))
    assert "org/conflicted" in page.rows[1]
    assert "org/up-to-date" in page.rows[-1]


def test_a_row_that_needs_you_has_its_command_to_copy() -> None:
    rows = [
        Row(repository="a", state="conflicted", answers_file=".copier-answers.web.yml", target="v2.0.0"),
        Row(repository="b", state="outdated", answers_file=".copier-answers.yml", target="v2.0.0"),
    ]
    text = "".join(html(rows, ROWS, title="The fleet"))
    command = "dockertpl update --answers-file .copier-answers.web.yml --to v2.0.0"
    assert re.findall(r"<code>(.*?)</code> <button type=\"button\" class=\"copy\" hidden>", text) == [command]


def test_each_cell_has_its_title_for_the_cards_of_a_phone() -> None:
    text = "".join(html(things.ROWS, ROWS, title="The fleet"))
    labels = {str(cell["data-label"]) for cell in _page(text).of("td") if "data-label" in cell}
    assert labels == {"Image", "Kind", "Version", "Target"}
    assert "@media screen and (max-width: 600px)" in text
    assert "prefers-color-scheme: dark" in text


def test_the_policy_lets_nothing_run_but_the_page_s_own_script_and_style() -> None:
    text = "".join(html(things.ROWS, ROWS, title="The fleet"))
    meta = next(each for each in _page(text).of("meta") if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in str(meta["content"]).split(";"))
    assert rules == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "style-src": _digest(text, "style"),
        "script-src": _digest(text, "script"),
    }


def _digest(text: str, tag: str) -> str:
    inside = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'"


def test_nothing_is_fetched() -> None:
    text = "".join(html(things.many(14), ROWS, title="The fleet"))
    page = _page(text)
    assert not {"link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert not any("src" in attributes or "style" in attributes for _, attributes in page.tags)
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("kind", ["row", "outcome"])
def test_a_hostile_name_is_text(kind: str) -> None:
    pieces = (
        html([things.hostile_row()], ROWS, title=things.HOSTILE, note=things.HOSTILE)
        if kind == "row"
        else html([things.hostile_outcome()], OUTCOMES, title=things.HOSTILE)
    )
    text = "".join(pieces)
    text.encode()
    page = _page(text)
    assert len(page.of("script")) == 1
    assert len(page.rows) == 2
    assert "<script>alert(1)</script>" in page.rows[1]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert all(str(link["href"]).startswith("https://") for link in page.of("a"))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_five_thousand_rows_come_in_pieces() -> None:
    pieces = list(html(things.many(5_000), ROWS, title="The fleet"))
    assert max(map(len, pieces)) < 200_000
    assert "".join(pieces).count('<th scope="row">') == 5_000


def test_what_reads_a_page_aloud_has_names_for_everything() -> None:
    text = "".join(html(things.ROWS, ROWS, title="The fleet"))
    page = _page(text)
    assert page.of("html") == [{"lang": "en"}]
    assert {str(each["scope"]) for each in page.of("th")} == {"col", "row"}
    labels = {each.get("for") for each in page.of("label")}
    assert all(box["type"] == "checkbox" or box["id"] in labels for box in page.of("input"))
    assert any(each.get("role") == "status" for each in page.of("p"))


def _in_node(expression: str) -> object:
    assert NODE is not None
    source = f"{SCRIPT.read_text()}\nconsole.log(JSON.stringify({expression}));"
    done = subprocess.run([NODE, "-e", source], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _script_rows(*cells: str) -> str:
    return json.dumps([{"cells": [{"text": text, "number": None}], "state": "", "text": text} for text in cells])


@pytest.mark.skipif(NODE is None, reason="no Node here")
def test_versions_sort_naturally_and_empty_values_come_last() -> None:
    rows = _script_rows("v1.10.0", "", "v1.9.0", "v1.2.0")
    for direction, expected in (
        ("ascending", ["v1.2.0", "v1.9.0", "v1.10.0", ""]),
        ("descending", ["v1.10.0", "v1.9.0", "v1.2.0", ""]),
    ):
        assert _in_node(f"sorted({rows}, 0, '{direction}').map((row) => row.text)") == expected


@pytest.mark.skipif(NODE is None, reason="no Node here")
def test_states_are_sorted_by_their_rank_and_not_by_their_name() -> None:
    rows = "[{cells: [{text: 'a', number: 10}], text: 'a'}, {cells: [{text: 'b', number: 9}], text: 'b'}]"
    assert _in_node(f"sorted({rows}, 0, 'ascending').map((row) => row.text)") == ["b", "a"]


@pytest.mark.skipif(NODE is None, reason="no Node here")
def test_a_row_is_shown_that_has_a_chosen_state_and_every_word() -> None:
    row = "{state: 'error', text: 'error org/torn dockerfile'}"
    for states, words, expected in (
        ("[]", "", True),
        ("['error', 'ahead']", "TORN docker", True),
        ("['ahead']", "", False),
        ("[]", "torn fresh", False),
    ):
        assert _in_node(f"matches({row}, new Set({states}), split('{words}'))") is expected


def test_the_page_s_data_is_part_of_the_package() -> None:
    assert re.fullmatch(r"page\.(css|js)", SCRIPT.name)
    assert {path.name for path in SCRIPT.parent.iterdir()} == {"page.css", "page.html.jinja", "page.js"}


def test_filters_are_called_as_their_column_is() -> None:
    assert "<legend>State</legend>" in "".join(html([], ROWS, title=""))
    assert "<legend>Result</legend>" in "".join(html([], OUTCOMES, title=""))
