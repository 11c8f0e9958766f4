"""Every repository is looked at, in order, and one that cannot be read is a row of its own."""

from __future__ import annotations

from tests.fleet.fakes import Bench, local

from dockertpl.fleet.model import Found
from dockertpl.fleet.survey import items


def test_repositories_come_in_order_and_one_s_failure_is_its_own(bench: Bench) -> None:
    found = [Found(repository=local(bench.scaffold(name))) for name in ("c", "a", "b")]
    (bench.folder / "a" / ".git").rename(bench.folder / "away")
    rows = [item.row for pairs in items(found, bench.tools()) for item, _ in pairs]
    assert [(row.repository, row.state) for row in rows] == [("c", "outdated"), ("a", "error"), ("b", "outdated")]


def test_a_difference_is_one_that_git_applies(bench: Bench, git: object) -> None:
    root = bench.scaffold()
    ((item, diff),) = next(items([Found(repository=local(root))], bench.tools(), with_diff=True))
    (root.parent / "x.diff").write_text(diff)
    git(root, "apply", str(root.parent / "x.diff"))  # type: ignore[operator]
    assert "line three" in (root / "Dockerfile").read_text()
    assert item.row.changes == (".copier-answers.yml", "Dockerfile", "gone.txt")


def test_at_a_glance_nothing_is_opened(bench: Bench) -> None:
    root = bench.scaffold()
    texts = {".copier-answers.yml": (root / ".copier-answers.yml").read_text()}
    (root / ".git").rename(bench.folder / "away")
    found = Found(repository=local(root), answers=texts)
    ((item, _),) = next(items([found], bench.tools(), glance=True))
    assert (item.row.state, item.digest) == ("outdated", "")
