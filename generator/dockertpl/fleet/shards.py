"""Parts of a plan, each for a machine of its own: who applies what, and what CI has to be told of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import yaml

from dockertpl.errors import BadInputError
from dockertpl.fleet.plan import PlanItem

#: The most jobs that a matrix of GitHub's may have.
MOST_IN_A_MATRIX = 256
#: The job of GitLab's whose artifacts hold the plan; ci/fleet.gitlab-ci.yml has it.
PLAN_JOB = "fleet-plan"

_NAME = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", re.ASCII)


def read(text: str) -> tuple[int, int]:
    """Return which shard a word such as `2/8` names: its number, from 1, and how many there are.

    Args:
        text: The word.

    Raises:
        BadInputError: It names none.
    """
    match = _NAME.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise BadInputError(f"{text!r} names no shard.", "Name it by its number and how many there are: --shard 2/8")
    return int(match[1]), int(match[2])


def shard(items: Sequence[PlanItem], number: int, of: int) -> tuple[PlanItem, ...]:
    """Return the items of one shard, in the plan's order. Each item is in one shard, and the same plan is parted alike.

    A repository's images stay together, as no two machines may push to one repository. What there is to do is spread so
    that no two shards differ by more than one repository's part of it.

    Args:
        items: All items of a plan.
        number: The shard's number, from 1.
        of: How many shards there are.

    Raises:
        BadInputError: There is no such shard.
    """
    if not 1 <= number <= of:
        raise BadInputError(f"There is no shard {number} of {of}.", "They are numbered from 1.")
    numbers = _numbers(items, of)
    return tuple(item for item in items if numbers[item.repository.key] == number)


def github_matrix(of: int) -> dict[str, list[dict[str, str]]]:
    """Return the matrix of a job of GitHub Actions, whose `matrix.shard` is `1/8` and so on.

    Args:
        of: How many shards there are.

    Raises:
        BadInputError: A matrix cannot have so many.
    """
    if not 1 <= of <= MOST_IN_A_MATRIX:
        raise BadInputError(
            f"A matrix of GitHub Actions cannot have {of} jobs.",
            f"Give --shards a number from 1 to {MOST_IN_A_MATRIX}.",
        )
    return {"include": [{"shard": name} for name in _names(of)]}


def gitlab_children(of: int, *, plan: str) -> str:
    """Return the YAML of a child pipeline of GitLab's: a job for each shard, then one that merges their journals.

    It takes the plan from the job `fleet-plan` of the pipeline that starts it, which says the rest by variables:
    PARENT_PIPELINE_ID, FLEET_IMAGE, FLEET_PACKAGE, FLEET_APPLY_OPTIONS. ci/fleet.gitlab-ci.yml is that pipeline.

    Args:
        of: How many shards there are.
        plan: The plan's file, as the job that made it names it.

    Raises:
        BadInputError: There has to be a shard.
    """
    if of < 1:
        raise BadInputError(f"There cannot be {of} shards.", "Give --shards a number from 1.")
    jobs: dict[str, Any] = {}
    for number, name in enumerate(_names(of), start=1):
        # GitLab shows jobs as one whose names end like this.
        jobs[f"fleet-apply {name}"] = {
            "extends": ".fleet-apply",
            "variables": {"FLEET_SHARD": name, "FLEET_JOURNAL": f"journals/{number}.jsonl"},
        }
    pipeline = {
        "variables": {"FLEET_IMAGE": "python:3.13", "FLEET_PACKAGE": "dockertpl[gitlab]", "FLEET_APPLY_OPTIONS": ""},
        "workflow": {"rules": [{"when": "always"}]},
        "stages": ["apply", "report"],
        "default": {
            "image": "$FLEET_IMAGE",
            "before_script": ['pip install --quiet --root-user-action=ignore "$FLEET_PACKAGE"'],
        },
        ".fleet-apply": {
            "stage": "apply",
            "variables": {"GIT_STRATEGY": "none", "FLEET_PLAN": plan},
            "needs": [{"pipeline": "$PARENT_PIPELINE_ID", "job": PLAN_JOB}],
            "script": [
                "mkdir -p journals",
                "set -f",
                "# shellcheck disable=SC2086\n"
                'dockertpl fleet apply "$FLEET_PLAN" --shard "$FLEET_SHARD" --journal "$FLEET_JOURNAL"'
                " $FLEET_APPLY_OPTIONS",
            ],
            # 1: a person is needed. It is the report that fails then.
            "allow_failure": {"exit_codes": [1]},
            "artifacts": {"when": "always", "paths": ["$FLEET_JOURNAL"], "expire_in": "30 days"},
        },
        **jobs,
        # No `needs`, of which GitLab takes fifty: a later stage gets the artifacts of all jobs before it.
        "fleet-report": {
            "stage": "report",
            "when": "always",
            "variables": {"GIT_STRATEGY": "none"},
            "script": [
                "dockertpl fleet report journals/*.jsonl --format html >fleet.html || test $? -eq 1",
                "dockertpl fleet report journals/*.jsonl",
            ],
            "artifacts": {"when": "always", "paths": ["journals", "fleet.html"], "expire_in": "30 days"},
        },
    }
    text: str = yaml.safe_dump(pipeline, sort_keys=False, width=120)
    return f"# A fleet's child pipeline, written by dockertpl fleet plan: see ci/fleet.gitlab-ci.yml.\n{text}"


def _names(of: int) -> list[str]:
    return [f"{number}/{of}" for number in range(1, of + 1)]


def _numbers(items: Sequence[PlanItem], of: int) -> dict[str, int]:
    """Return the number of each repository's shard by the repository's key."""
    work = Counter(item.repository.key for item in items if item.to_do)
    size = Counter(item.repository.key for item in items)
    works = dict.fromkeys(range(1, of + 1), 0)
    sizes = dict(works)
    numbers = {}
    # What takes time is spread first; what is only passed over then evens out the rest.
    for key in sorted(size, key=lambda key: not work[key]):
        loads = works if work[key] else sizes
        number = min(loads, key=lambda number: loads[number])
        numbers[key] = number
        works[number] += work[key]
        sizes[number] += size[key]
    return numbers
