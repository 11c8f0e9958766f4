from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.lint.test_workflow import _run

from dockertpl.errors import BadInputError
from dockertpl.fleet.model import Repository, Row, State
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.shards import PLAN_JOB, github_matrix, gitlab_children, read, shard


def _items(*sizes: int, state: State = "outdated") -> list[PlanItem]:
    """Return the items of repositories with the given numbers of images."""
    return [
        PlanItem(
            repository=Repository(key=f"org/{number}", location=f"/srv/{number}"),
            row=Row(repository=f"org/{number}", state=state, answers_file=f".copier-answers.{image}.yml"),
        )
        for number, size in enumerate(sizes)
        for image in range(size)
    ]


def _parts(items: list[PlanItem], of: int) -> list[tuple[PlanItem, ...]]:
    return [shard(items, number, of) for number in range(1, of + 1)]


SIZES = st.lists(st.integers(1, 5), max_size=40)


@given(SIZES, st.integers(1, 12))
def test_each_item_is_in_exactly_one_shard_in_the_plan_s_order(sizes: list[int], of: int) -> None:
    items = _items(*sizes)
    parts = _parts(items, of)
    assert sorted(item.key for part in parts for item in part) == sorted(item.key for item in items)
    for part in parts:
        assert list(part) == [item for item in items if item in part]


@given(SIZES, st.integers(1, 12))
def test_all_images_of_a_repository_are_in_the_same_shard(sizes: list[int], of: int) -> None:
    seen: dict[str, int] = {}
    for number, part in enumerate(_parts(_items(*sizes), of)):
        for item in part:
            assert seen.setdefault(item.repository.key, number) == number


@given(SIZES, SIZES, st.integers(1, 12))
def test_what_there_is_to_do_differs_by_one_repository_at_most(busy: list[int], idle: list[int], of: int) -> None:
    # Idle items come first, and would make the shards uneven if they counted.
    items = [*_items(*idle, state="up-to-date"), *(_renamed(item) for item in _items(*busy))]
    work = [sum(item.to_do for item in part) for part in _parts(items, of)]
    assert max(work) - min(work) <= max(busy, default=0)


def _renamed(item: PlanItem) -> PlanItem:
    key = f"busy/{item.repository.key}"
    return PlanItem(repository=Repository(key=key, location=key), row=item.row)


def test_up_to_date_items_are_spread_evenly() -> None:
    assert [len(part) for part in _parts(_items(*[1] * 9, state="up-to-date"), 4)] == [3, 2, 2, 2]


def test_the_same_plan_is_parted_alike() -> None:
    items = _items(3, 1, 4, 1, 5, 2, 2)
    assert _parts(items, 3) == _parts(list(items), 3)


def test_more_shards_than_repositories_are_empty() -> None:
    assert [len(part) for part in _parts(_items(1, 1), 4)] == [1, 1, 0, 0]


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_shard_that_is_not_there_is_an_error(number: int) -> None:
    with pytest.raises(BadInputError):
        shard(_items(1), number, 3)


def test_a_shard_is_named_by_its_number_and_how_many_there_are() -> None:
    assert read("2/8") == (2, 8)


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "1/2/3", "a/b", "-1/3", " 1/3", "1/3\n", "²/3"])
def test_what_names_no_shard_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not a valid shard"):
        read(text)


def test_github_gets_a_matrix_whose_shards_the_command_line_takes() -> None:
    assert github_matrix(2) == {"include": [{"shard": "1/2"}, {"shard": "2/2"}]}
    assert [read(entry["shard"]) for entry in github_matrix(256)["include"]] == [(n, 256) for n in range(1, 257)]


@pytest.mark.parametrize("of", [0, -1, 257])
def test_a_matrix_that_github_would_refuse_is_an_error(of: int) -> None:
    with pytest.raises(BadInputError, match="cannot have"):
        github_matrix(of)


def test_gitlab_gets_a_job_for_each_shard_and_one_that_merges() -> None:
    pipeline = yaml.safe_load(gitlab_children(3, plan="plan.jsonl"))
    jobs = {name: job for name, job in pipeline.items() if name.startswith("fleet-apply")}
    assert [read(job["variables"]["FLEET_SHARD"]) for job in jobs.values()] == [(1, 3), (2, 3), (3, 3)]
    assert len({job["variables"]["FLEET_JOURNAL"] for job in jobs.values()}) == 3
    template = pipeline[".fleet-apply"]
    assert template["artifacts"]["when"] == "always"
    assert template["needs"] == [{"pipeline": "$PARENT_PIPELINE_ID", "job": PLAN_JOB}]
    assert pipeline["stages"].index("report") > pipeline["stages"].index("apply")
    assert pipeline["fleet-report"]["when"] == "always"
    assert "needs" not in pipeline["fleet-report"]
    assert "parallel" not in str(pipeline)


def test_gitlab_s_schema_holds_for_the_child_pipeline(tmp_path: Path) -> None:
    (file := tmp_path / "children.gitlab-ci.yml").write_text(gitlab_children(60, plan="plan.jsonl"))
    assert _run("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", file) == ""


def test_shellcheck_has_nothing_to_say_of_the_child_s_scripts(tmp_path: Path) -> None:
    pipeline = yaml.safe_load(gitlab_children(1, plan="plan.jsonl"))
    scripts = [
        pipeline["default"]["before_script"],
        *(pipeline[name]["script"] for name in (".fleet-apply", "fleet-report")),
    ]
    for script in scripts:
        (file := tmp_path / "script.sh").write_text("# shellcheck shell=sh\nset -e\n" + "\n".join(script) + "\n")
        assert _run("shellcheck", "--norc", file) == ""


def test_a_plan_with_a_hostile_name_stays_one_value() -> None:
    name = "a: b\n'\"$(touch x) #"
    assert yaml.safe_load(gitlab_children(1, plan=name))[".fleet-apply"]["variables"]["FLEET_PLAN"] == name


def test_a_child_pipeline_without_shards_is_an_error() -> None:
    with pytest.raises(BadInputError):
        gitlab_children(0, plan="plan.jsonl")
