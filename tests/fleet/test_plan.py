"""The same fleet gives the same plan, and an edited plan is not valid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fleet.fakes import Bench, local

from dockertpl.errors import BadInputError
from dockertpl.fleet import plan
from dockertpl.fleet.plan import PlanItem


def _written(bench: Bench, path: Path) -> tuple[str, list[PlanItem]]:
    items = bench.plan(*(local(bench.folder / name) for name in ("app-1", "app-2")))
    return plan.write(path, bench.context().target, items), items


@pytest.fixture
def fleet(bench: Bench) -> Bench:
    for name in ("app-1", "app-2"):
        bench.scaffold(name)
    return bench


def test_what_is_read_is_what_was_written(fleet: Bench, tmp_path: Path) -> None:
    digest, items = _written(fleet, tmp_path / "plan.jsonl")
    read = plan.read(tmp_path / "plan.jsonl")
    assert (read.hash, list(read.items), read.target) == (digest, items, fleet.context().target)


def test_the_same_fleet_gives_the_same_bytes(fleet: Bench, tmp_path: Path) -> None:
    first, _ = _written(fleet, tmp_path / "one.jsonl")
    second, _ = _written(fleet, tmp_path / "two.jsonl")
    assert first == second
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_another_change_gives_another_hash(fleet: Bench, tmp_path: Path, git: object) -> None:
    from tests.releases import commit

    first, _ = _written(fleet, tmp_path / "one.jsonl")
    path = fleet.folder / "app-2" / "Dockerfile"
    path.write_text(path.read_text() + "mine\n")
    commit(fleet.folder / "app-2")
    assert _written(fleet, tmp_path / "two.jsonl")[0] != first


@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "other"])
def test_a_plan_that_was_damaged_is_refused(damage: str, fleet: Bench, tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    _written(fleet, path)
    text = path.read_text()
    path.write_text(
        {"changed": text.replace("app-2", "app-3"), "cut": text[:-80], "empty": "", "other": '{"a": 1}\n'}[damage]
    )
    with pytest.raises(BadInputError):
        plan.read(path)


def test_after_a_failed_write_nothing_is_left(fleet: Bench, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be written"):
        plan.write(tmp_path / "missing" / "plan.jsonl", fleet.context().target, [])

    def broken() -> object:
        yield from fleet.plan(local(fleet.folder / "app-1"))
        raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        plan.write(tmp_path / "plan.jsonl", fleet.context().target, broken())  # type: ignore[arg-type]
    assert sorted(tmp_path.iterdir()) == before


def test_an_error_during_the_search_is_not_blamed_on_the_file(fleet: Bench, tmp_path: Path) -> None:
    def broken() -> Iterator[plan.PlanItem]:
        raise BrokenPipeError(32, "Broken pipe")
        yield

    target = fleet.context().target
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BrokenPipeError):
        plan.write(tmp_path / "plan.jsonl", target, broken())
    assert sorted(tmp_path.iterdir()) == before
