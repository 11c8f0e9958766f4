"""Divide a plan into shards, one for each machine, and write the CI configuration for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import yaml

from dockertpl.errors import BadInputError
from dockertpl.fleet.plan import PlanItem

#: The most jobs in a matrix of GitHub Actions.
MOST_IN_A_MATRIX = 256
#: The GitLab job with the plan as an artifact, from ci/fleet.gitlab-ci.yml.
PLAN_JOB = "fleet-plan"

_NAME = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", re.ASCII)


def read(text: str) -> tuple[int, int]:
    """Parse a shard such as `2/8`. Return its number, from 1, and the number of shards.

    Raises:
        BadInputError: The text is not a valid shard.
    """
    match = _NAME.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise BadInputError(f"{text!r} is not a valid shard.", "Write its number and the number of shards: --shard 2/8")
    return int(match[1]), int(match[2])


def shard(items: Sequence[PlanItem], number: int, of: int) -> tuple[PlanItem, ...]:
    """Return the items of one shard, in the plan's order. Each item is in one shard, always the same for a plan.

    The images of a repository stay together, since no two machines may push to one repository. The work is spread
    evenly: two shards differ by at most one repository.

    Args:
        items: All items of a plan.
        number: The shard's number, from 1.
        of: The number of shards.

    Raises:
        BadInputError: The shard's number is out of range.
    """
    if not 1 <= number <= of:
        raise BadInputError(f"Shard {number} of {of} does not exist.", f"Name a shard from 1/{of} to {of}/{of}.")
    numbers = _numbers(items, of)
    return tuple(item for item in items if numbers[item.repository.key] == number)


def github_matrix(of: int) -> dict[str, list[dict[str, str]]]:
    """Return the matrix of a GitHub Actions job. Its `matrix.shard` is `1/8` and so on.

    Raises:
        BadInputError: The number of shards is out of range.
    """
    if not 1 <= of <= MOST_IN_A_MATRIX:
        raise BadInputError(
            f"A matrix of GitHub Actions cannot have {of} jobs.",
            f"Give --shards a number from 1 to {MOST_IN_A_MATRIX}.",
        )
    return {"include": [{"shard": name} for name in _names(of)]}


def gitlab_children(of: int, *, plan: str) -> str:
    """Return the YAML of a GitLab child pipeline: a job for each shard, then a job for the report.

    The child gets the plan from the parent's job `fleet-plan`, and these variables: PARENT_PIPELINE_ID, FLEET_IMAGE,
    FLEET_PACKAGE, FLEET_APPLY_OPTIONS. The parent is ci/fleet.gitlab-ci.yml.

    Args:
        of: The number of shards.
        plan: The plan's file in the parent's artifacts.

    Raises:
        BadInputError: The number of shards is below 1.
    """
    if of < 1:
        raise BadInputError(f"There cannot be {of} shards.", "Give --shards a number from 1.")
    jobs: dict[str, Any] = {}
    for number, name in enumerate(_names(of), start=1):
        # GitLab groups jobs with names like this.
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
            # 1: some images need you. The report job fails for them.
            "allow_failure": {"exit_codes": [1]},
            "artifacts": {"when": "always", "paths": ["$FLEET_JOURNAL"], "expire_in": "30 days"},
        },
        **jobs,
        # Without `needs`, which is limited to 50 jobs: a later stage gets the artifacts of all jobs before it.
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
    return f"# Child pipeline of ci/fleet.gitlab-ci.yml, generated by dockertpl fleet plan.\n{text}"


def _names(of: int) -> list[str]:
    return [f"{number}/{of}" for number in range(1, of + 1)]


def _numbers(items: Sequence[PlanItem], of: int) -> dict[str, int]:
    """Map the repositories' keys to the numbers of their shards."""
    work = Counter(item.repository.key for item in items if item.to_do)
    size = Counter(item.repository.key for item in items)
    works = dict.fromkeys(range(1, of + 1), 0)
    sizes = dict(works)
    numbers = {}
    # Spread the repositories with work first, then even out the others.
    for key in sorted(size, key=lambda key: not work[key]):
        loads = works if work[key] else sizes
        number = min(loads, key=lambda number: loads[number])
        numbers[key] = number
        works[number] += work[key]
        sizes[number] += size[key]
    return numbers
