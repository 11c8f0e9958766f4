"""`apply` runs a plan in waves, stops at a threshold, and repeats no finished item."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fleet.fakes import Bench, local

from dockertpl.errors import BadInputError
from dockertpl.fleet import journal
from dockertpl.fleet import run as runs
from dockertpl.fleet.apply import ApplyOptions
from dockertpl.fleet.journal import Head, Journal
from dockertpl.fleet.model import ItemResult
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.run import Ended, Rollout

pytestmark = pytest.mark.slow

COUNT = 6


@pytest.fixture
def items(bench: Bench) -> list[PlanItem]:
    return bench.plan(*(local(bench.scaffold(f"app-{number}")) for number in range(COUNT)))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Journal]:
    with journal.begun(tmp_path / "journal.jsonl", Head(plan="", hash="", options={})) as begun:
        yield begun


def _run(bench: Bench, items: list[PlanItem], opened: Journal, **rollout: object) -> tuple[list[str], Ended]:
    *done, ended = runs.run(items, bench.context(), ApplyOptions(), Rollout(**rollout), opened)  # type: ignore[arg-type]
    assert isinstance(ended, Ended)
    return [each.repository for each in done if isinstance(each, ItemResult)], ended


def test_everything_is_applied_once(bench: Bench, items: list[PlanItem], opened: Journal) -> None:
    assert _run(bench, items, opened) == ([f"app-{n}" for n in range(COUNT)], Ended(left=0, why="done"))
    assert _run(bench, items, opened) == ([], Ended(left=0, why="done"))


def test_a_wave_pauses_and_the_next_run_takes_the_next(bench: Bench, items: list[PlanItem], opened: Journal) -> None:
    rollout = {"waves": ("1", "50%"), "pause": True}
    assert _run(bench, items, opened, **rollout) == (["app-0"], Ended(left=5, why="paused"))
    assert _run(bench, items, opened, **rollout) == (["app-1", "app-2"], Ended(left=3, why="paused"))
    assert _run(bench, items, opened, **rollout) == (["app-3", "app-4", "app-5"], Ended(left=0, why="done"))


def test_where_too_many_fail_it_stops(bench: Bench, items: list[PlanItem], opened: Journal) -> None:
    for number in range(4):
        (bench.folder / f"app-{number}" / ".git").rename(bench.folder / f"away-{number}")
    done, ended = _run(bench, items, opened, waves=("2",), max_failures="1")
    assert (ended.why, ended.left >= 2) == ("failures", True)
    assert len(done) == 2


def test_what_is_left_is_what_is_not_done_once_it_has_stopped(
    bench: Bench, items: list[PlanItem], opened: Journal
) -> None:
    for number in range(2):
        (bench.folder / f"app-{number}" / ".git").rename(bench.folder / f"away-{number}")

    both = threading.Event()

    def slow(folder: Path, answers_file: str) -> dict[str, object]:
        assert both.wait(60)
        return {}

    failed, ended = 0, None
    for ended in runs.run(items, bench.context(), ApplyOptions(verify=slow), Rollout(max_failures="1"), opened):
        failed += isinstance(ended, ItemResult) and ended.result == "failed"
        if failed == 2:
            # Other items have started by now.
            both.set()
    assert ended == Ended(left=COUNT - len(opened.done), why="failures")
    assert len(opened.done) > 2


def test_what_ctrl_c_cut_off_is_left_for_the_next_run(
    bench: Bench, items: list[PlanItem], opened: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ctrl-C in a terminal also reaches git, and may reach it first.
    git, there = bench.folder / "path" / "git", shutil.which("git")
    git.parent.mkdir()
    git.write_text(f'#!/bin/sh\ncase "$*" in *fast-import*) kill -INT $$;; esac\nexec {there} "$@"\n')
    git.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(git.parent), prepend=os.pathsep)
        with pytest.raises(KeyboardInterrupt):
            _run(bench, items, opened)
    assert opened.done == {}
    assert _run(bench, items, opened) == ([f"app-{n}" for n in range(COUNT)], Ended(left=0, why="done"))


@pytest.mark.parametrize("text", ["x", "-1", "110%", "1.5", "%"])
def test_an_invalid_pace_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        runs.check(Rollout(waves=(text,)))
    with pytest.raises(BadInputError):
        runs.check(Rollout(max_failures=text))


def test_what_was_interrupted_is_not_done(bench: Bench, items: list[PlanItem], opened: Journal) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    options = ApplyOptions(verify=interrupted)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        list(runs.run(items, bench.context(), options, Rollout(), opened))
    assert opened.done == {}


def test_an_early_exit_does_not_wait_for_waiting_threads(bench: Bench, items: list[PlanItem], opened: Journal) -> None:
    waiting, stopped = threading.Event(), threading.Event()

    def waits(folder: Path, answers_file: str) -> dict[str, object]:
        if folder.name not in ("app-0", "app-1"):
            waiting.set()
            if stopped.wait(60):
                raise KeyboardInterrupt
        return {}

    context = replace(bench.context(), stop=stopped.set)
    running = runs.run(items, context, ApplyOptions(verify=waits), Rollout(), opened)
    next(running)
    next(running)
    assert waiting.wait(20)
    running.close()
    assert len(opened.done) == 2
