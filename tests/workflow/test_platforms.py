"""Two platforms: one index has both, each was started before the push, and each has its attestations.

The other processor is emulated, so this machine can run the jobs of both runners.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine import bases, service

from . import harness
from .registry import PROVENANCE, SBOM, Registry

pytestmark = pytest.mark.engine

BOTH = ("linux/amd64", "linux/arm64")
#: The time limit of an emulated container on a busy machine, where several of its probes may time out.
PATIENCE = 300
WHO = "import os, platform; print(platform.machine(), os.getuid())"


@pytest.mark.parametrize(
    ("platforms", "jobs"),
    [
        ("native", {"lint", "image", "index"}),
        pytest.param("emulated", {"lint", "image"}, marks=pytest.mark.full),
    ],
)
def test_two_platforms_are_pushed_as_one_index_and_the_other_one_starts(
    platforms: str,
    jobs: set[str],
    machine: harness.Machine,
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for platform in BOTH:
        bases.ensure_platform(platform, service.BASES, engine=machine.engine)
    machine.engine.forget()
    repository = harness.new_repository()
    image = f"{registry.address}/{repository}"
    root = harness.application(
        tmp_path / "orders", image=image, answers={"platforms": platforms, "health_start_period": "120"}
    )
    run = harness.push(root, machine)
    assert run.ok, run.log[-5000:]
    assert run.jobs == dict.fromkeys(jobs, True)

    commit = harness.git(root, "rev-parse", "--short=7", "HEAD")
    tags = registry.tags(repository)
    images = {tag: digest for tag, digest in tags.items() if not tag.startswith("cache-")}
    assert images.keys() == {"main", f"sha-{commit}"}
    (index,) = set(images.values())
    assert registry.predicates(repository, "main") == {platform: {PROVENANCE, SBOM} for platform in BOTH}
    (attested,) = run.recorded("actions/attest")
    assert attested["subject-digest"] == index

    machine.engine.forget()
    arm64 = f"{image}@{registry.platforms(repository, 'main')['linux/arm64']}"
    machine.engine.run("pull", "--quiet", arm64)
    monkeypatch.setenv("DOCKER_HOST", machine.engine.environ()["DOCKER_HOST"])
    with service.running(arm64, seconds=PATIENCE) as started:
        assert machine.engine.output("exec", started.name, "python", "-c", WHO) == "aarch64 10001"
        assert started.json("/health")
