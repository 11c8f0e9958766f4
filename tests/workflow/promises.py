"""The promises of every rendered workflow. Each is a function that raises AssertionError if the promise is broken.

A promise gets the workflow's text. The tests check every promise on every rendering, and check that each promise
detects its mutations.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from .harness import parse

Job: TypeAlias = Mapping[str, Any]
Step: TypeAlias = Mapping[str, Any]

BUILD = "docker/build-push-action"
BUILDX = "docker/setup-buildx-action"
QEMU = "docker/setup-qemu-action"
#: The actions that log in with a token of GitHub, and so need its permission.
TOKEN_LOGINS = ("aws-actions/configure-aws-credentials", "azure/login", "google-github-actions/auth")
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
#: The platforms that each runner runs without emulation.
RUNNERS = {"ubuntu-24.04": "linux/amd64", "ubuntu-24.04-arm": "linux/arm64"}
#: The inputs of a build for its output and its platforms.
OF_ONE_BUILD = {"platforms", "load", "push", "outputs", "tags", "labels", "cache-to", "provenance", "sbom"}
#: Without image-manifest, some registries refuse a cache. Without ignore-error, a refusal fails the build.
CACHE_FIELDS = {
    "type": "registry",
    "mode": "max",
    "image-manifest": "true",
    "oci-mediatypes": "true",
    "ignore-error": "true",
}


@functools.lru_cache(maxsize=256)
def _jobs(text: str) -> Mapping[str, Job]:
    found: Mapping[str, Job] = parse(text)["jobs"]
    return found


def jobs(text: str) -> Iterator[tuple[str, Job, list[Step]]]:
    """Yield the id, the mapping and the steps of each job. Do not change them."""
    for name, job in _jobs(text).items():
        yield name, job, job["steps"]


def action(step: Step) -> str:
    """Return OWNER/ACTION of a step, or nothing if it runs shell."""
    return str(step.get("uses", "")).split("@")[0]


def is_smoke_test(step: Step) -> bool:
    """Return whether a step starts the image and fails unless it becomes healthy."""
    run = str(step.get("run", ""))
    return "docker run" in run and ".State.Health.Status" in run and "exit 1" in run


def pushes(step: Step) -> bool:
    """Return whether a step pushes an image."""
    inputs = step.get("with", {})
    by_action = action(step) == BUILD and (
        inputs.get("push") in (True, "true") or "push=true" in inputs.get("outputs", "")
    )
    return by_action or "imagetools create" in str(step.get("run", "")) or "docker push" in str(step.get("run", ""))


def given(steps: list[Step], name: str, value: str) -> str:
    """Return an input, with the scripts of the steps that provide its outputs."""
    printed = [step["run"] for step in steps if "run" in step and f"steps.{step.get('id')}.outputs.{name}" in value]
    return "\n".join([value, *printed])


def is_for_pull_requests(job: Job) -> bool | None:
    """Return whether a job runs only for pull requests (True), never for them (False), or for everything (None)."""
    condition = str(job.get("if", "")).replace('"', "'")
    if "github.event_name == 'pull_request'" in condition:
        return True
    return False if "github.event_name != 'pull_request'" in condition else None


def every_action_is_pinned_by_commit(text: str) -> None:
    """Actions are pinned to commits: an attacker could move a tag."""
    for line in text.splitlines():
        if re.match(r"\s*(- )?uses:", line):
            assert PINNED.search(line), f"not pinned by commit, with its version beside it: {line.strip()}"


def a_builder_is_set_up_before_it_is_needed(text: str) -> None:
    """The workflow sets up a builder: a machine's default one exports no cache and joins no platforms."""
    for name, _, steps in jobs(text):
        ready = False
        for step in steps:
            ready = ready or (action(step) == BUILDX and "if" not in step)
            needed = action(step) == BUILD or "docker buildx" in str(step.get("run", ""))
            assert ready or not needed, f"{name}: {step.get('name')} comes before {BUILDX}"


def what_is_pushed_leaves_its_cache(text: str) -> None:
    """A push of a branch saves the cache of every layer in the registry, for the next machine."""
    found = [
        (name, steps, step) for name, _, steps in jobs(text) for step in steps if action(step) == BUILD and pushes(step)
    ]
    assert found, "nothing is pushed"
    for name, steps, step in found:
        line = given(steps, "cache-to", str(step["with"].get("cache-to", "")))
        for key, value in CACHE_FIELDS.items():
            assert f"{key}={value}" in line, f"{name}: cache-to has no {key}={value}"
        assert "ref=" in line, f"{name}: cache-to names no place"


def every_build_starts_from_the_registry_s_cache(text: str) -> None:
    """Each build reads the cache of its branch and then that of the default branch."""
    for name, _, steps in jobs(text):
        for step in steps:
            if action(step) == BUILD:
                lines = str(step["with"].get("cache-from", "")).splitlines()
                assert len(lines) >= 2, f"{name}: {step.get('name')} reads {len(lines)} caches"
                assert all(line.startswith("type=registry,ref=") for line in lines), lines


def nothing_is_pushed_that_was_not_healthy(text: str) -> None:
    """Each job builds, starts and checks an image before it pushes anything."""
    passed: set[str] = set()
    for name, job, steps in jobs(text):
        loaded = tried = False
        needs = job.get("needs", [])
        after_test = set([needs] if isinstance(needs, str) else needs) & passed
        for step in steps:
            if "if" in step or "continue-on-error" in step:
                assert not pushes(step), f"{name}: {step.get('name')} has a condition of its own"
                continue
            loaded = loaded or (action(step) == BUILD and step["with"].get("load") in (True, "true"))
            tried = tried or (loaded and is_smoke_test(step))
            assert tried or after_test or not pushes(step), f"{name}: {step.get('name')} comes before the smoke test"
        if tried:
            passed.add(name)


def what_is_pushed_is_what_was_tried(text: str) -> None:
    """The build that pushes has the same sources, arguments and secrets as that of the tested image."""
    for name, _, steps in jobs(text):
        builds = [step for step in steps if action(step) == BUILD]
        for step in builds:
            own = {key: value for key, value in step["with"].items() if key not in OF_ONE_BUILD}
            first = {key: value for key, value in builds[0]["with"].items() if key not in OF_ONE_BUILD}
            assert (own, step.get("env")) == (first, builds[0].get("env")), f"{name}: {step.get('name')} differs"
        tried = {step["with"]["platforms"] for step in builds if not pushes(step)}
        pushed = {one for step in builds if pushes(step) for one in step["with"]["platforms"].split(",")}
        assert pushed <= tried, f"{name}: {pushed - tried} is pushed and was not tried"


def a_pull_request_is_tried_and_pushes_nothing(text: str) -> None:
    """A job for pull requests builds and tests the image, and no job for pull requests can push."""
    tried = False
    for name, job, steps in jobs(text):
        for_pull_requests = is_for_pull_requests(job)
        if for_pull_requests is False:
            continue
        tried = tried or any(map(is_smoke_test, steps))
        permissions = job.get("permissions", {})
        by_token = any(action(step) in TOKEN_LOGINS for step in steps)
        writes = {key for key, value in permissions.items() if value == "write"} - ({"id-token"} if by_token else set())
        assert not writes, f"{name} may write {writes}"
        for step in steps:
            assert not pushes(step), f"{name}: {step.get('name')} pushes"
            assert not step.get("with", {}).get("cache-to"), f"{name}: {step.get('name')} leaves a cache"
    assert tried, "no job tries a pull request"


def a_pull_request_is_built_and_tried_by_the_steps_of_a_push(text: str) -> None:
    """Pull requests and pushes run the same tests, and the workflow defines them once."""
    assert text.count("docker run --detach") == 1
    (asked,) = (steps for _, job, steps in jobs(text) if is_for_pull_requests(job))
    (pushed,) = (steps for _, job, steps in jobs(text) if is_for_pull_requests(job) is False and asked[-1] in steps)
    assert asked == pushed[: len(asked)]
    assert not any(map(is_smoke_test, pushed[len(asked) :]))


def every_job_says_what_it_may(text: str) -> None:
    """The workflow has no permissions, and each job names those that it needs."""
    workflow = parse(text)
    assert workflow["permissions"] == {}
    for name, job, _ in jobs(text):
        assert isinstance(job.get("permissions"), dict), f"{name} takes over the repository's default"


def every_right_has_its_reason(text: str) -> None:
    """A comment says what each permission is for."""
    rights = re.findall(r"^      [a-z-]+: (?:read|write)\b.*$", text, re.MULTILINE)
    assert len(rights) == sum(len(job["permissions"]) for _, job, _ in jobs(text))
    assert [right for right in rights if not re.search(r" # to .+", right)] == []


def no_expression_stands_in_shell(text: str) -> None:
    """Shell gets the value of an expression only as a variable, since a pull request's author may control it."""
    for name, _, steps in jobs(text):
        for step in steps:
            assert "${{" not in str(step.get("run", "")), f"{name}: {step.get('name')}"


def what_is_pushed_says_how_it_was_made(text: str) -> None:
    """The image has full provenance and an SBOM."""
    for name, _, steps in jobs(text):
        for step in steps:
            if action(step) == BUILD and pushes(step):
                assert step["with"].get("provenance") == "mode=max", f"{name}: no full provenance"
                assert step["with"].get("sbom") is True, f"{name}: no SBOM"


def every_platform_is_one_that_its_runner_runs(text: str) -> None:
    """Builds and tests use the platform of the runner or an emulated one."""
    for name, job, steps in jobs(text):
        for cell in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
            runs = {RUNNERS[_filled(job["runs-on"], cell)]}
            for step in steps:
                if action(step) == QEMU:
                    runs |= {f"linux/{one}" for one in step["with"]["platforms"].split(",")}
                if action(step) == BUILD:
                    wanted = set(_filled(step["with"]["platforms"], cell).split(","))
                    assert wanted <= runs, f"{name}: {step.get('name')} is for {wanted}, and what runs is {runs}"


def _filled(value: str, cell: Mapping[str, str]) -> str:
    """Return a value with the matrix values of a cell filled in."""
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: cell[match[1]], value)


#: The promises of every workflow.
GENERAL: tuple[Callable[[str], None], ...] = (
    every_action_is_pinned_by_commit,
    every_job_says_what_it_may,
    every_right_has_its_reason,
    no_expression_stands_in_shell,
)
#: More promises of a workflow that builds an image.
PROMISES: tuple[Callable[[str], None], ...] = (
    *GENERAL,
    a_builder_is_set_up_before_it_is_needed,
    what_is_pushed_leaves_its_cache,
    every_build_starts_from_the_registry_s_cache,
    nothing_is_pushed_that_was_not_healthy,
    what_is_pushed_is_what_was_tried,
    a_pull_request_is_tried_and_pushes_nothing,
    a_pull_request_is_built_and_tried_by_the_steps_of_a_push,
    what_is_pushed_says_how_it_was_made,
    every_platform_is_one_that_its_runner_runs,
)
