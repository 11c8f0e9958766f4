"""Run the rendered workflow: what it pushes, what it rebuilds, and what it refuses to push.

Every run starts on a machine without earlier builds. It builds an image or gets it from the registry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.samples import sample

from . import harness, mutations, proxy
from .registry import PROVENANCE, SBOM, Contents, Registry

pytestmark = pytest.mark.engine

# The blobs that a code change may push beside its layer.
SLACK_BYTES = 64 * 1024
SMOKE_TEST = "Smoke test"
CODE_STEP = re.compile(r"\[prod (\d+)/\1\] COPY .+")


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A repository after the push of its first commit.

    Attributes:
        root: Its folder. The tag "pushed" marks the source of the registry's tag main.
        repository: Its name in the registry.
        run: The run of that first push.
        contents: The registry's content after it.
    """

    root: Path
    repository: str
    run: harness.Run
    contents: Contents

    def push(self, machine: harness.Machine) -> harness.Run:
        """Push the default branch. The run must succeed."""
        run = harness.push(self.root, machine)
        assert run.ok, run.log[-5000:]
        harness.git(self.root, "tag", "--force", "pushed")
        return run


def _is_code_alone(build: harness.Build) -> bool:
    """Return whether only the last step, which copies the code, ran."""
    return len(build.ran) == 1 and CODE_STEP.fullmatch(build.ran[0]) is not None


def _sizes(summary: str, layer: str) -> tuple[float, float]:
    """Return the megabytes of a layer before and after, from the summary."""
    before, after = (
        float(size) for sign in "-+" for size in re.findall(rf"^{re.escape(sign)} +([\d.]+) MB {layer}$", summary, re.M)
    )
    return before, after


@pytest.fixture(scope="module")
def pushed(machine: harness.Machine, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    machine.engine.forget()
    repository = harness.new_repository()
    root = harness.application(tmp_path_factory.mktemp("run") / "orders", image=f"{registry.address}/{repository}")
    harness.git(root, "tag", "first")
    harness.git(root, "tag", "pushed")
    run = harness.push(root, machine)
    assert run.ok, run.log[-5000:]
    return Pushed(root=root, repository=repository, run=run, contents=registry.contents(repository))


@pytest.fixture
def root(pushed: Pushed, machine: harness.Machine) -> Path:
    """The repository after its last push, and a machine without earlier builds."""
    harness.git(pushed.root, "switch", "--quiet", "--discard-changes", "--force-create", "main", "pushed")
    machine.engine.forget()
    return pushed.root


def test_the_first_push_brings_an_image_its_cache_and_what_is_known_of_it(pushed: Pushed, registry: Registry) -> None:
    commit = harness.git(pushed.root, "rev-parse", "--short=7", "first")
    assert pushed.run.jobs == {"lint": True, "image": True}
    assert pushed.contents.tags.keys() == {"main", f"sha-{commit}", "cache-main-amd64"}
    assert pushed.contents.tags["main"] == pushed.contents.tags[f"sha-{commit}"]
    (build, *again) = pushed.run.builds("image")
    assert build.ran
    assert build.cached == ()
    assert [push.ran for push in again] == [()]  # the pushed image is the tested image
    assert registry.predicates(pushed.repository, "main") == {"linux/amd64": {PROVENANCE, SBOM}}
    assert "### Layers, compared with no earlier image\n" in pushed.run.summary
    assert re.search(r"^Container: running, healthy after \d+ s\.$", pushed.run.summary, re.MULTILINE)
    assert re.search(r"^\+ +\d+\.\d MB COPY ", pushed.run.summary, re.MULTILINE)
    assert re.search(r"^\+ +\d+\.\d MB in all$", pushed.run.summary, re.MULTILINE)
    (attested,) = pushed.run.recorded("actions/attest")
    assert attested["subject-name"] == f"{registry.address}/{pushed.repository}"
    assert attested["subject-digest"] == pushed.contents.tags["main"]


def test_a_line_of_code_builds_and_pushes_the_code_alone(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    harness.append(root, "CHANGED = True")
    harness.commit(root, "Change a line")
    before = registry.contents(pushed.repository)
    run = pushed.push(machine)
    built, again = run.builds("image")
    assert _is_code_alone(built)
    assert len(built.cached) == len(pushed.run.builds("image")[0].ran) - 1
    assert again.ran == ()
    new = registry.contents(pushed.repository).since(before)
    (layer,) = new.sizes("layer")
    assert new.layer_bytes - layer < SLACK_BYTES


def test_a_changed_readme_builds_nothing_and_pushes_no_layer(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    harness.append(root, "More.", to="README.md")
    harness.commit(root, "Say more")
    before = registry.contents(pushed.repository)
    run = pushed.push(machine)
    assert [build.ran for build in run.builds("image")] == [(), ()]
    new = registry.contents(pushed.repository).since(before)
    assert new.sizes("layer") == []
    assert new.layer_bytes < SLACK_BYTES  # the SBOM is new, and BuildKit's cache has it as a layer


@pytest.mark.full
def test_a_new_dependency_builds_what_comes_after_it(pushed: Pushed, root: Path, machine: harness.Machine) -> None:
    manifest = root / "pyproject.toml"
    manifest.write_text(manifest.read_text().replace("dependencies = [", 'dependencies = ["tomli-w>=1",', 1))
    sample.relock(root, "uv")
    harness.commit(root, "Depend on one thing more")
    built, _ = pushed.push(machine).builds("image")
    assert any("uv sync" in step for step in built.ran), built
    assert any(step.startswith(("[build 1/", "[build 2/")) for step in built.cached), built


def test_a_pull_request_reads_the_cache_and_pushes_nothing(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    harness.git(root, "switch", "--quiet", "--force-create", "feature/menu")
    (root / "src" / "orders" / "menu.bin").write_bytes(bytes(40_000_000))
    harness.commit(root, "Add a large file")
    repositories, before = registry.repositories(), registry.contents(pushed.repository)
    run = harness.pull_request(root, machine)
    assert run.ok, run.log[-5000:]
    assert run.jobs == {"lint": True, "pull-request": True}
    (built,) = run.builds("pull-request")
    assert _is_code_alone(built)
    # Other runs may push to the same registry.
    assert {name for name in registry.repositories() if pushed.repository in name} <= set(repositories)
    assert registry.contents(pushed.repository) == before
    assert [step.name for step in run.of("pull-request")] == [
        "Check out",
        "Set up Buildx",
        "Log in to the registry",
        "Set image and cache names",
        "Build",
        "Compare sizes",
        SMOKE_TEST,
    ]
    # The summary shows the growth of each layer since the last image of main.
    assert f"### Layers, compared with {registry.address}/{pushed.repository}:main\n" in run.summary
    (before_bytes, after_bytes) = _sizes(run.summary, "COPY .+")
    assert 40 <= after_bytes - before_bytes < 41
    (all_before, all_after) = _sizes(run.summary, "in all")
    assert 40 <= all_after - all_before < 41
    assert re.search(r"^  +\d+\.\d MB ", run.summary, re.MULTILINE)


def test_a_pull_request_that_never_gets_healthy_is_red_and_shows_why(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    harness.git(root, "switch", "--quiet", "--force-create", "feature/broken")
    harness.append(root, 'raise RuntimeError("the kitchen is closed")')
    harness.commit(root, "Break it")
    before = registry.contents(pushed.repository)
    run = harness.pull_request(root, machine)
    assert not run.ok
    (failed,) = run.failed()
    assert (failed.job, failed.name) == ("pull-request", SMOKE_TEST)
    assert "the kitchen is closed" in failed.log
    assert "### The image never became healthy (exited, unhealthy)" in run.summary
    assert "RuntimeError: the kitchen is closed" in run.summary
    assert registry.contents(pushed.repository) == before


def test_an_image_that_is_healthy_and_may_not_write_is_not_pushed(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    harness.append(root, "try:\n    open('/app/menu', 'w')\nexcept OSError as error:\n    print(error, flush=True)")
    harness.commit(root, "Break it")
    before = registry.contents(pushed.repository)
    run = harness.push(root, machine)
    assert [step.name for step in run.failed()] == [SMOKE_TEST]
    assert "### The image is healthy, but its log says: [Errno 30] Read-only file system: '/app/menu'" in run.summary
    assert registry.contents(pushed.repository) == before


@pytest.mark.full  # a running image gets its start period and more
def test_an_image_that_runs_and_never_gets_healthy_is_not_pushed(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    route = root / "src" / "orders" / "routers" / "health.py"
    route.write_text(route.read_text().replace('"/health"', '"/well"'))
    harness.commit(root, "Move the health check")
    before = registry.contents(pushed.repository)
    run = harness.push(root, machine)
    assert [step.name for step in run.failed()] == [SMOKE_TEST]
    assert "404" in run.failed()[0].log
    assert registry.contents(pushed.repository) == before


def test_a_machine_without_a_builder_of_its_own_says_so(root: Path, machine: harness.Machine) -> None:
    file = harness.workflow_file(root)
    file.write_text(mutations.without_a_builder(file.read_text()))
    harness.commit(root, "Set up no builder")
    run = harness.push(root, machine)
    assert not run.ok
    assert "Cache export is not supported for the docker driver" in run.failed()[0].log


@pytest.mark.full
def test_a_version_s_tag_gives_the_image_its_version_and_leaves_no_cache(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    before = registry.contents(pushed.repository)
    run = harness.push(root, machine, ref="refs/tags/v1.4.2")
    assert run.ok, run.log[-5000:]
    new = registry.contents(pushed.repository).since(before)
    assert {"1.4.2", "1.4", "latest"} <= new.tags.keys()
    assert not [tag for tag in new.tags if tag.startswith("cache-")]
    assert new.layer_bytes == 0


def test_a_registry_that_refuses_the_cache_leaves_the_run_green(
    pushed: Pushed, root: Path, machine: harness.Machine, registry: Registry
) -> None:
    repository = harness.new_repository()
    with proxy.refusing_caches(registry.address) as (address, refused):
        file = harness.workflow_file(root)
        text = file.read_text().replace(pushed.repository, repository).replace(registry.address, address)
        file.write_text(text)
        harness.commit(root, "Push through the proxy")
        run = harness.push(root, machine)
    assert run.ok, run.log[-5000:]
    assert refused
    assert "main" in registry.tags(repository)
    assert not [tag for tag in registry.tags(repository) if tag.startswith("cache-")]
