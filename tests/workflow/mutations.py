"""Faults that an edit could add to the workflow. Each is a function from a workflow's text to the broken text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from . import promises
from .harness import parse

Mutation = Callable[[str], str]


def _each_step(text: str, change: Callable[[str, dict[str, Any]], dict[str, Any] | None]) -> str:
    """Return the workflow with changed steps. `change` gets the job's id and the step, and returns None to drop it."""
    workflow = parse(text)
    for name, job in workflow["jobs"].items():
        changed = (change(name, step) for step in job["steps"])
        job["steps"] = [step for step in changed if step is not None]
    return yaml.safe_dump(workflow, sort_keys=False)


def without_a_builder(text: str) -> str:
    return _each_step(text, lambda _, step: None if promises.action(step) == promises.BUILDX else step)


def without_cache_export(text: str) -> str:
    return _each_step(text, lambda _, step: _without_input(step, "cache-to"))


def without_cache_import(text: str) -> str:
    return _each_step(text, lambda _, step: _without_input(step, "cache-from"))


def without_the_smoke_test(text: str) -> str:
    return _each_step(text, lambda _, step: None if promises.is_smoke_test(step) else step)


def with_a_smoke_test_that_may_fail(text: str) -> str:
    def change(_: str, step: dict[str, Any]) -> dict[str, Any]:
        return {**step, "continue-on-error": True} if promises.is_smoke_test(step) else step

    return _each_step(text, change)


def with_another_stage_in_the_push(text: str) -> str:
    def change(_: str, step: dict[str, Any]) -> dict[str, Any]:
        if promises.action(step) == promises.BUILD and promises.pushes(step):
            return {**step, "with": {**step["with"], "target": "dev"}}
        return step

    return _each_step(text, change)


def with_a_platform_that_was_not_tried(text: str) -> str:
    def change(_: str, step: dict[str, Any]) -> dict[str, Any]:
        if promises.action(step) == promises.BUILD and promises.pushes(step):
            return {**step, "with": {**step["with"], "platforms": "linux/amd64,linux/riscv64"}}
        return step

    return _each_step(text, change)


def with_a_tag_for_a_pin(text: str) -> str:
    return re.sub(r"@[0-9a-f]{40} # (v[\d.]+)", r"@\1", text, count=1)


def with_a_bare_commit_for_a_pin(text: str) -> str:
    return re.sub(r"(@[0-9a-f]{40}) # v[\d.]+", r"\1", text, count=1)


def with_a_cache_whose_refusal_is_fatal(text: str) -> str:
    return text.replace(",ignore-error=true", "")


def with_a_cache_that_ecr_refuses(text: str) -> str:
    return text.replace(",image-manifest=true", "")


def with_a_cache_of_the_last_stage_alone(text: str) -> str:
    return text.replace("mode=max,", "mode=min,")


def with_a_pull_request_that_pushes(text: str) -> str:
    def change(job: str, step: dict[str, Any]) -> dict[str, Any]:
        if job == "pull-request" and promises.action(step) == promises.BUILD:
            return {**step, "with": {**step["with"], "load": False, "push": True}}
        return step

    return _each_step(text, change)


def with_a_pull_request_that_may_push(text: str) -> str:
    workflow = parse(text)
    workflow["jobs"]["pull-request"]["permissions"] |= {"packages": "write"}
    return yaml.safe_dump(workflow, sort_keys=False)


def with_a_pull_request_that_may_sign(text: str) -> str:
    workflow = parse(text)
    asked = workflow["jobs"]["pull-request"]
    asked["permissions"] |= {"id-token": "write"}
    asked["steps"] = [step for step in asked["steps"] if promises.action(step) not in promises.TOKEN_LOGINS]
    return yaml.safe_dump(workflow, sort_keys=False)


def with_a_pull_request_that_is_built_in_another_way(text: str) -> str:
    def change(job: str, step: dict[str, Any]) -> dict[str, Any]:
        if job == "pull-request" and promises.action(step) == promises.BUILD:
            return {**step, "with": {**step["with"], "no-cache": True}}
        return step

    return _each_step(text, change)


def with_a_smoke_test_that_is_written_twice(text: str) -> str:
    return _each_step(text, lambda _, step: {**step})


def with_all_permissions(text: str) -> str:
    return yaml.safe_dump({**parse(text), "permissions": "write-all"}, sort_keys=False)


def with_a_right_without_a_reason(text: str) -> str:
    return re.sub(r"^(      [a-z-]+: (?:read|write)) # to .+$", r"\1", text, count=1, flags=re.MULTILINE)


def with_an_expression_in_shell(text: str) -> str:
    def change(_: str, step: dict[str, Any]) -> dict[str, Any]:
        return {**step, "run": f"echo ${{{{ github.head_ref }}}}\n{step['run']}"} if "run" in step else step

    return _each_step(text, change)


def without_provenance(text: str) -> str:
    return _each_step(text, lambda _, step: _without_input(step, "provenance"))


def without_an_sbom(text: str) -> str:
    return _each_step(text, lambda _, step: _without_input(step, "sbom"))


def with_each_runner_of_the_other_processor(text: str) -> str:
    return re.sub(r"ubuntu-24\.04(-arm)?", lambda match: "ubuntu-24.04" if match[1] else "ubuntu-24.04-arm", text)


def _without_input(step: dict[str, Any], name: str) -> dict[str, Any]:
    return {**step, "with": {key: value for key, value in step.get("with", {}).items() if key != name}}


#: Each fault, and the promise that must detect it.
NOTICED_BY: dict[Mutation, Callable[[str], None]] = {
    without_a_builder: promises.a_builder_is_set_up_before_it_is_needed,
    without_cache_export: promises.what_is_pushed_leaves_its_cache,
    with_a_cache_whose_refusal_is_fatal: promises.what_is_pushed_leaves_its_cache,
    with_a_cache_that_ecr_refuses: promises.what_is_pushed_leaves_its_cache,
    with_a_cache_of_the_last_stage_alone: promises.what_is_pushed_leaves_its_cache,
    without_cache_import: promises.every_build_starts_from_the_registry_s_cache,
    without_the_smoke_test: promises.nothing_is_pushed_that_was_not_healthy,
    with_a_smoke_test_that_may_fail: promises.nothing_is_pushed_that_was_not_healthy,
    with_another_stage_in_the_push: promises.what_is_pushed_is_what_was_tried,
    with_a_platform_that_was_not_tried: promises.what_is_pushed_is_what_was_tried,
    with_a_tag_for_a_pin: promises.every_action_is_pinned_by_commit,
    with_a_bare_commit_for_a_pin: promises.every_action_is_pinned_by_commit,
    with_a_pull_request_that_pushes: promises.a_pull_request_is_tried_and_pushes_nothing,
    with_a_pull_request_that_may_push: promises.a_pull_request_is_tried_and_pushes_nothing,
    with_a_pull_request_that_may_sign: promises.a_pull_request_is_tried_and_pushes_nothing,
    with_a_pull_request_that_is_built_in_another_way: promises.a_pull_request_is_built_and_tried_by_the_steps_of_a_push,
    with_a_smoke_test_that_is_written_twice: promises.a_pull_request_is_built_and_tried_by_the_steps_of_a_push,
    with_a_right_without_a_reason: promises.every_right_has_its_reason,
    with_all_permissions: promises.every_job_says_what_it_may,
    with_an_expression_in_shell: promises.no_expression_stands_in_shell,
    without_provenance: promises.what_is_pushed_says_how_it_was_made,
    without_an_sbom: promises.what_is_pushed_says_how_it_was_made,
    with_each_runner_of_the_other_processor: promises.every_platform_is_one_that_its_runner_runs,
}
