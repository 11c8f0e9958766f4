"""Run the workflow of shared base images and that of a dependent image.

Every run starts on a machine without earlier builds. It builds an image or gets it from the registry.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine import apt, bases, host, shared_bases
from tests.engine.shared_bases import NAME, SharedBases

from . import harness, promises, rendering
from .registry import PROVENANCE, SBOM, Registry

FLAVORS = ("python", "node")
SMOKE_TEST = "Smoke test"
LABEL = "org.opencontainers.image.base"


@pytest.fixture(scope="module")
def first(machine: harness.Machine, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> SharedBases:
    """A committed repository with base images and a dependent, before the first push."""
    if not shutil.which("jq"):
        apt.install(["jq"], cache=host.cache_dir())
    bases.ensure(shared_bases.BASES, engine=machine.engine)
    folder = tmp_path_factory.mktemp("shared") / "repository"
    made = shared_bases.write_shared_bases(
        folder, docker=machine.engine, registry=registry, bases=FLAVORS, dependents=["api"]
    )
    harness.git(folder, "remote", "add", "origin", f"https://github.com/{harness.OWNER_AND_NAME}")
    harness.commit(folder, "First commit")
    return made


def _run(
    made: SharedBases, machine: harness.Machine, image: str, event: Callable[..., harness.Run] = harness.push
) -> harness.Run:
    machine.engine.forget()
    run = event(made.root, machine, image=image)
    assert run.ok, run.log[-5000:]
    return run


def _started(run: harness.Run) -> list[str]:
    """Return the workflows of a run."""
    return [f"{record['workflow']} {record['ref']}" for record in run.recorded("gh")]


def _schedule(root: Path, machine: harness.Machine, *, image: str) -> harness.Run:
    payload = {"ref": f"refs/heads/{harness.BRANCH}", "schedule": "17 3 * * 1"}
    return harness.run_workflow(root, "schedule", machine=machine, payload=payload, image=image)


@pytest.fixture(scope="module")
def pushed(first: SharedBases, machine: harness.Machine) -> tuple[harness.Run, harness.Run]:
    """The first push of the base images, and then of their dependent."""
    return _run(first, machine, NAME), _run(first, machine, "api")


@pytest.mark.engine
def test_every_base_is_started_before_it_is_pushed_and_so_is_what_was_never_pushed(
    pushed: tuple[harness.Run, harness.Run], first: SharedBases, registry: Registry
) -> None:
    run, _ = pushed
    assert run.jobs == {"lint": True, "image": True, "dependents": True}
    tested = {str(step.matrix["image"]): step.log for step in run.of("image") if step.name == SMOKE_TEST}
    assert tested.keys() == set(FLAVORS)
    assert "Python 3.13" in tested["python"]
    assert re.search(r"^v26\.", tested["node"], re.MULTILINE)
    commit = harness.git(first.root, "rev-parse", "--short=7", "HEAD")
    for flavor in FLAVORS:
        repository = first.repository(f"{NAME}-{flavor}")
        assert registry.tags(repository).keys() == {"main", f"sha-{commit}", "cache-main-amd64"}
        assert registry.predicates(repository, "main") == {"linux/amd64": {PROVENANCE, SBOM}}
        assert first.config(f"{NAME}-{flavor}")["Labels"]["org.opencontainers.image.title"] == f"{NAME}-{flavor}"
    assert _started(run) == ["api-image.yml main"]


@pytest.mark.engine
def test_a_dependent_uses_the_base_by_the_digest_of_its_tag(
    pushed: tuple[harness.Run, harness.Run], first: SharedBases
) -> None:
    _, run = pushed
    assert run.jobs == {"lint": True, "image": True}
    base = f"{NAME}-python"
    assert first.layers("api")[: len(first.layers(base))] == first.layers(base)
    labels = first.config("api")["Labels"]
    assert labels[f"{LABEL}.name"] == first.image(base)
    assert labels[f"{LABEL}.digest"] == first.digest(base)


@pytest.mark.engine
def test_a_base_that_did_not_move_starts_nothing(
    pushed: tuple[harness.Run, harness.Run], first: SharedBases, machine: harness.Machine
) -> None:
    before = {name: first.layers(name) for name in ("api", f"{NAME}-python", f"{NAME}-node")}
    run = _run(first, machine, NAME, _schedule)
    assert run.jobs == {"lint": True, "image": True, "dependents": True}
    assert _started(run) == []
    assert [build.ran for build in run.builds("image")] == [()] * len(run.builds("image"))
    assert {name: first.layers(name) for name in before} == before


@pytest.mark.engine
def test_a_base_that_moved_starts_its_dependent_which_builds_nothing_of_its_own_again(
    pushed: tuple[harness.Run, harness.Run], first: SharedBases, machine: harness.Machine
) -> None:
    base = f"{NAME}-python"
    old, own = first.layers(base), first.layers("api")[len(first.layers(base)) :]
    before = first.contents("api")
    first.change_bases()
    harness.commit(first.root, "Have every base bring one package more")
    assert _started(_run(first, machine, NAME)) == ["api-image.yml main"]
    assert first.layers(base) != old

    run = _run(first, machine, "api")
    (built, *_) = run.builds("image")
    # The check for Python, and the folder of the application. All copied layers are unchanged.
    assert [step for step in built.ran if not re.match(r"\[prod \d/\d\] (RUN|WORKDIR)", step)] == []
    moved = first.layers(base)
    assert first.layers("api")[: len(moved)] == moved
    again = [layer for layer in first.layers("api")[len(moved) :] if layer not in own]
    new = first.contents("api").since(before).blobs
    assert sum(new[layer].size for layer in again) < 1024  # the folder that WORKDIR makes
    assert first.config("api")["Labels"][f"{LABEL}.digest"] == first.digest(base)
    assert _started(_run(first, machine, NAME)) == []


@pytest.mark.full  # the probe waits for its start period
@pytest.mark.engine
def test_a_base_whose_runtime_does_not_start_is_not_pushed(
    pushed: tuple[harness.Run, harness.Run], first: SharedBases, machine: harness.Machine
) -> None:
    before = {flavor: first.contents(f"{NAME}-{flavor}") for flavor in FLAVORS}
    dockerfile = first.root / "python" / "Dockerfile"
    text = dockerfile.read_text()
    dockerfile.write_text(
        text.replace("\n# Numeric, ", "\nRUN rm -r /usr/local/lib/python3.13/encodings\n# Numeric, ", 1)
    )
    harness.commit(first.root, "Break it")
    machine.engine.forget()
    run = harness.push(first.root, machine, image=NAME)
    dockerfile.write_text(text)
    harness.commit(first.root, "Mend it")
    assert not run.ok
    assert [(step.name, step.matrix["image"]) for step in run.failed()] == [(SMOKE_TEST, "python")]
    assert first.contents(f"{NAME}-python") == before["python"]
    assert "dependents" not in {job for job, ok in run.jobs.items() if ok}
    assert _started(run) == []


def _workflows_of_shared_bases() -> list[str]:
    found = [text for text in rendering.image_workflows() if "matrix.image" in text]
    assert found
    return found


def test_shared_bases_are_rebuilt_weekly_and_on_changes_of_their_own_files() -> None:
    for text in _workflows_of_shared_bases():
        on = harness.parse(text)["on"]
        (weekly,) = on["schedule"]
        assert re.fullmatch(r"\d+ \d+ \* \* \d", weekly["cron"])
        for trigger in (on["push"], on["pull_request"]):
            assert re.search(r"(^|/)python/\*\*$", trigger["paths"][0])
            assert trigger["paths"][-1].startswith(".github/workflows/")


def test_only_the_job_that_starts_dependents_may_start_anything_and_never_for_a_pull_request() -> None:
    may = {
        (name, promises.is_for_pull_requests(job))
        for text in rendering.image_workflows()
        for name, job, _ in promises.jobs(text)
        if "actions" in job["permissions"]
    }
    assert may == {("dependents", False)}


def test_a_dependent_finds_its_base_before_it_builds_on_it() -> None:
    texts = [text for text in rendering.image_workflows() if "BASE_IMAGE=${{" in text]
    assert texts
    for text in texts:
        for name, _, steps in promises.jobs(text):
            found = False
            for step in steps:
                found = found or step.get("id") == "base"
                if promises.action(step) == promises.BUILD:
                    assert found, f"{name}: {step['name']} comes before the base is found"
                    assert "BASE_IMAGE=${{ steps.base.outputs.image }}" in step["with"]["build-args"]
