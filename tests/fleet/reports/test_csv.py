from __future__ import annotations

import csv as reader
import io
from itertools import count

import pytest
from tests.fleet.reports import things

from dockertpl.fleet.model import Row
from dockertpl.fleet.reports.columns import OUTCOMES, ROWS
from dockertpl.fleet.reports.csv import csv


def _read(text: str) -> list[dict[str, str]]:
    return list(reader.DictReader(io.StringIO(text)))


def test_a_line_a_thing_with_the_fields_names_on_the_first() -> None:
    rows = _read("".join(csv(things.ROWS, ROWS)))
    assert [row["repository"] for row in rows] == ["org/fresh", "org/torn", "org/empty"]
    assert rows[1]["changes"] == "Dockerfile; compose.yaml"
    outcomes = _read("".join(csv(things.OUTCOMES, OUTCOMES)))
    assert [row["result"] for row in outcomes] == ["proposed", "failed"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])  # noqa: RUF001 - wide, as meant
def test_no_cell_is_a_formula(start: str) -> None:
    row = Row(repository=f"{start}1+1", state="error", notes=(f"{start}cmd", "b"))
    read = _read("".join(csv([row], ROWS)))[0]
    assert read["repository"].startswith("'")
    assert read["notes"].startswith("'")
    assert not any(cell.startswith(start) for cell in read.values())


def test_a_hostile_name_is_one_cell_of_text_that_can_be_encoded() -> None:
    text = "".join(csv([things.hostile_row()], ROWS))
    text.encode()
    assert len(_read(text)) == 1
    assert "\x1b" not in text


def test_lines_come_one_by_one() -> None:
    endless = csv((Row(repository=str(number), state="error") for number in count()), ROWS)
    next(endless)
    assert next(endless).startswith("error,0,")
