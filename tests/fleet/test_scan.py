"""`scan` reads every repository in order, and gives an unreadable one its own row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.fleet.fakes import Bench, local

from dockertpl.errors import DEBUG
from dockertpl.fleet.checkout import View
from dockertpl.fleet.model import Discovered, Repository
from dockertpl.fleet.scan import items


def test_repositories_come_in_order_and_one_s_failure_is_its_own(bench: Bench) -> None:
    found = [Discovered(repository=local(bench.scaffold(name))) for name in ("c", "a", "b")]
    (bench.folder / "a" / ".git").rename(bench.folder / "away")
    rows = [item.row for pairs in items(found, bench.context()) for item, _ in pairs]
    assert [(row.repository, row.state) for row in rows] == [("c", "outdated"), ("a", "error"), ("b", "outdated")]


def test_an_internal_error_affects_only_its_repository(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Discovered(repository=local(bench.scaffold(name))) for name in ("a", "b", "c")]
    answers_files = View.answers_files

    def stumbles(view: View) -> Any:
        if view.repository.key == "b":
            raise IndexError("what nobody thought of")
        return answers_files(view)

    monkeypatch.setattr(View, "answers_files", stumbles)
    rows = [item.row for pairs in items(found, bench.context()) for item, _ in pairs]
    assert [row.state for row in rows] == ["outdated", "error", "outdated"]
    assert "what nobody thought of" in rows[1].notes[0]
    monkeypatch.setenv(DEBUG, "1")
    with pytest.raises(IndexError):
        list(items(found, bench.context()))


def test_by_several_processes_it_is_the_same(bench: Bench) -> None:
    found = [Discovered(repository=local(bench.scaffold(name))) for name in ("a", "b", "c", "d")]
    alone, together = (list(items(found, replace(bench.context(), processes=number))) for number in (1, 3))
    assert alone == together


def test_a_difference_is_one_that_git_applies(bench: Bench, git: Any) -> None:
    root = bench.scaffold()
    ((item, diff),) = next(items([Discovered(repository=local(root))], bench.context(), with_diff=True))
    (root.parent / "x.diff").write_text(diff)
    git(root, "apply", str(root.parent / "x.diff"))
    assert "line three" in (root / "Dockerfile").read_text()
    assert item.row.changes == (".copier-answers.yml", "Dockerfile", "gone.txt")


def test_a_manual_commit_on_our_branch_has_its_own_state(bench: Bench, git: Any) -> None:
    root = bench.scaffold()
    found = [Discovered(repository=local(root))]

    def state() -> str:
        ((item, _),) = next(items(found, bench.context(), with_branch=True))
        return item.row.state

    bench.run(local(root))
    assert state() == "outdated"
    git(root, "worktree", "add", "--quiet", str(bench.folder / "tree"), "dockertpl/app")
    git(bench.folder / "tree", "commit", "--quiet", "--allow-empty", "--message", "mine")
    assert state() == "pr-diverged"


def test_at_a_glance_nothing_is_opened(bench: Bench) -> None:
    root = bench.scaffold()
    texts = {".copier-answers.yml": (root / ".copier-answers.yml").read_text()}
    (root / ".git").rename(bench.folder / "away")
    found = Discovered(repository=local(root), answers=texts)
    ((item, _),) = next(items([found], bench.context(), glance=True))
    assert (item.row.state, item.digest) == ("outdated", "")


def test_what_has_no_answers_file_as_the_api_says_is_not_fetched(bench: Bench) -> None:
    empty = Repository(key="forge/org/empty", location="file:///nowhere.git", forge="github", slug="org/empty")
    ((item, _),) = next(items([Discovered(repository=empty, answers={})], bench.context()))
    assert item.row.state == "unmanaged"
