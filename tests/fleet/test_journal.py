"""A journal stays valid after a kill at any moment, and only one run at a time writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockertpl.errors import BadInputError
from dockertpl.fleet import journal
from dockertpl.fleet.journal import Head
from dockertpl.fleet.model import ItemResult

HEAD = Head(plan="plan.jsonl", hash="abc", options={"jobs": 8})


def _outcome(name: str, result: str = "branch") -> ItemResult:
    return ItemResult(repository=name, answers_file=".copier-answers.yml", result=result)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with journal.begun(path, HEAD) as opened:
        for name in ("one", "two", "one"):
            opened.write(_outcome(name, "failed" if name == "two" else "branch"))
    return path


def test_the_last_outcome_of_each_item_counts(path: Path) -> None:
    head, done = journal.outcomes(path)
    assert head == HEAD
    assert {key[0]: outcome.result for key, outcome in done.items()} == {"one": "branch", "two": "failed"}


def test_at_whatever_byte_it_is_cut_what_is_whole_is_read_and_it_goes_on(path: Path) -> None:
    content = path.read_bytes()
    head = content.index(b"\n") + 1
    for cut in range(head, len(content)):
        path.write_bytes(content[:cut])
        # The first and the last of three lines belong to one item.
        whole = min(content[:cut].count(b"\n") - 1, 2)
        assert len(journal.outcomes(path)[1]) == whole
        with journal.gone_on(path) as opened:
            opened.write(_outcome("three"))
        after = journal.outcomes(path)[1]
        assert ("three", ".copier-answers.yml") in after
        # A line that lacks only its line end becomes complete with it.
        assert len(after) in (whole + 1, min(whole + 1, 2) + 1)


def test_one_run_at_a_time(path: Path) -> None:
    with journal.gone_on(path), pytest.raises(BadInputError, match="in use"), journal.gone_on(path):
        pass


def test_a_journal_is_not_begun_twice_but_where_nothing_is_in_it(path: Path) -> None:
    with pytest.raises(BadInputError, match="already exists"), journal.begun(path, HEAD):
        pass
    path.write_bytes(b"")
    with journal.begun(path, HEAD) as opened:
        opened.write(_outcome("one"))
    assert len(journal.outcomes(path)[1]) == 1


@pytest.mark.parametrize(
    "content", ["", "{}\n", "no journal\n", '{"schema": 99, "plan": "", "hash": "", "options": {}}\n']
)
def test_an_invalid_journal_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text(content)
    with pytest.raises(BadInputError, match="not a journal"):
        journal.outcomes(path)


def test_a_full_disk_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    write = os.write
    with journal.gone_on(path) as opened:
        with monkeypatch.context() as full:
            full.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:10]))
            with pytest.raises(OSError, match="No space"):
                opened.write(_outcome("three"))
        # The disk has space again.
        opened.write(_outcome("four"))
    assert ("four", ".copier-answers.yml") in journal.outcomes(path)[1]
