"""Base images and their dependents, built by one bake: what a change pushes, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.workflow.registry import Contents, Registry

from dockertpl.engine import client
from dockertpl.engine.image import inspect_image
from dockertpl.engine.run import run_strictly
from dockertpl.engine.strict import RunOptions

from . import host, service, shared_bases
from .bases import BaseImage
from .shared_bases import DEPENDENTS, FLAVORS, NAME, SharedBases

pytestmark = pytest.mark.engine

# A change may also push the empty folder that WORKDIR makes, which is new on each base.
SLACK_BYTES = 64 * 1024
RUNTIMES = {
    "python": ["python3", "pip"],
    "node": ["node", "npm"],
    "python-node": ["python3", "pip", "node", "npm"],
    "sandbox": ["python3", "node", "jq"],
}
STRICTLY = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@dataclass(frozen=True, kw_only=True)
class State:
    """The registry's content for an image at one time: its layers, the lowest first, and all its blobs."""

    layers: list[str]
    contents: Contents


def _state(built: SharedBases, name: str) -> State:
    return State(layers=built.layers(name), contents=built.contents(name))


def _base(dependent: str) -> str:
    return f"{NAME}-{DEPENDENTS[dependent].base}"


def _own(built: SharedBases, dependent: str) -> list[str]:
    """Return a dependent's layers above its base's."""
    return built.layers(dependent)[len(built.layers(_base(dependent))) :]


def _copied(built: SharedBases, dependent: str) -> list[str]:
    """Return the copied layers of a dependent, which hold its application."""
    return [layer for layer in built.copied(dependent) if layer in _own(built, dependent)]


@pytest.fixture(scope="module")
def built(
    docker: host.Engine,
    registry: str,
    base_images: Callable[..., dict[str, BaseImage]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SharedBases]:
    """Base images and dependents, pushed by one bake."""
    base_images(*shared_bases.BASES)
    folder = tmp_path_factory.mktemp("shared") / "repository"
    made = shared_bases.write_shared_bases(folder, docker=docker, registry=Registry(address=registry))
    made.push()
    yield made
    made.forget()


@pytest.mark.parametrize("dependent", DEPENDENTS)
def test_one_bake_builds_dependents_on_the_new_base_and_they_become_healthy(dependent: str, built: SharedBases) -> None:
    lowest = built.layers(_base(dependent))
    assert built.layers(dependent)[: len(lowest)] == lowest
    assert built.config(dependent)["Labels"]["org.opencontainers.image.base.name"] == built.image(_base(dependent))
    built.docker.run("pull", "--quiet", built.image(dependent))
    image = inspect_image(client.find(), built.image(dependent))
    report = run_strictly(client.find(), image, name=dependent, options=RunOptions())
    assert report.healthy, report.error
    assert report.uid == DEPENDENTS[dependent].uid


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_base_runs_strictly_and_has_what_it_says(flavor: str, built: SharedBases) -> None:
    image = built.image(f"{NAME}-{flavor}")
    built.docker.run("pull", "--quiet", image)
    for runtime in RUNTIMES[flavor]:
        assert built.docker.output("run", "--rm", *STRICTLY, "--entrypoint", runtime, image, "--version")
    assert built.docker.output("run", "--rm", *STRICTLY, "--entrypoint", "id", image) == (
        "uid=10001(app) gid=10001(app) groups=10001(app)"
    )
    probe = built.config(f"{NAME}-{flavor}")["Healthcheck"]["Test"]
    assert probe[0] == "CMD"
    built.docker.run("run", "--rm", *STRICTLY, "--entrypoint", probe[1], image, *probe[2:])


@pytest.mark.parametrize("dependent", DEPENDENTS)
def test_a_line_of_code_pushes_the_layers_of_the_code_and_no_other_dependent(
    dependent: str, built: SharedBases
) -> None:
    before = {name: _state(built, name) for name in DEPENDENTS}
    built.change_code(dependent)
    built.push()
    for name in DEPENDENTS:
        new = [layer for layer in built.layers(name) if layer not in before[name].layers]
        assert len(new) == (DEPENDENTS[name].code_layers if name == dependent else 0)
        blobs = built.contents(name).since(before[name].contents).blobs
        code = sum(blobs[layer].size for layer in new)
        assert sum(built.contents(name).since(before[name].contents).sizes("layer")) - code < SLACK_BYTES


def test_a_moved_base_leaves_every_layer_of_the_application_as_it_is(built: SharedBases) -> None:
    bases = {name: _state(built, _base(name)) for name in DEPENDENTS}
    own = {name: _own(built, name) for name in DEPENDENTS}
    before = {name: _state(built, name) for name in DEPENDENTS}
    copied = {name: _copied(built, name) for name in DEPENDENTS}
    built.change_bases()
    built.push()
    for name in DEPENDENTS:
        moved = built.layers(_base(name))
        assert moved != bases[name].layers
        assert built.layers(name)[: len(moved)] == moved
        if DEPENDENTS[name].installs:
            continue
        assert len(copied[name]) >= 3
        assert _copied(built, name) == copied[name]
        blobs = built.contents(name).since(before[name].contents).blobs
        # The folder that WORKDIR makes is a layer of a few hundred bytes. No larger layer is new.
        again = [layer for layer in _own(built, name) if layer not in own[name]]
        assert sum(blobs[layer].size for layer in again) < 1024
        assert len(_own(built, name)) == len(own[name])
        assert (
            sum(blob.size for layer, blob in blobs.items() if blob.kind == "layer" and layer not in moved) < SLACK_BYTES
        )


def test_a_base_that_is_installed_again_has_the_same_layers(built: SharedBases) -> None:
    before = {flavor: built.layers(f"{NAME}-{flavor}") for flavor in FLAVORS}
    built.push("bases", "--set=*.args.REFRESH=next week")
    assert {flavor: built.layers(f"{NAME}-{flavor}") for flavor in FLAVORS} == before


def test_dependents_use_the_base_in_the_registry_by_digest(built: SharedBases) -> None:
    own = _own(built, "api")
    base = f"{built.image(_base('api'))}@{built.digest(_base('api'))}"
    planned = built.plan(BASE_PYTHON=base)["api"]
    assert planned["contexts"] == {"base": f"docker-image://{base}"}
    built.push("api", BASE_PYTHON=base)
    labels = built.config("api")["Labels"]
    assert labels["org.opencontainers.image.base.name"] == built.image(_base("api"))
    assert labels["org.opencontainers.image.base.digest"] == built.digest(_base("api"))
    lowest = built.layers(_base("api"))
    assert built.layers("api")[: len(lowest)] == lowest
    # Only the folder that WORKDIR makes is new.
    assert len(set(own) - set(_own(built, "api"))) <= 1


def test_without_overrides_dependents_use_the_targets_of_the_bake_file(built: SharedBases) -> None:
    planned = built.plan()
    bases = {f"base-{flavor}" for flavor in FLAVORS}
    assert planned.keys() == {*DEPENDENTS, *bases}
    for name, dependent in DEPENDENTS.items():
        assert planned[name]["contexts"] == {"base": f"target:base-{dependent.base}"}
        assert planned[name]["args"] == {"BASE_IMAGE": "base"}
        assert "org.opencontainers.image.base.digest" not in planned[name]["labels"]
    assert planned["base-python"]["tags"] == [built.image("base-python")]
    assert built.plan(REGISTRY="", TAG="dev")["api"]["tags"] == ["api:dev"]


@pytest.mark.parametrize(
    ("dependent", "other", "said"),
    [
        ("api", "node", "BASE_IMAGE needs Python 3.13"),
        ("web", "python", "BASE_IMAGE needs Node.js 26"),
        ("sandbox", "python", "BASE_IMAGE needs Python and Node.js"),
    ],
)
def test_a_base_without_the_right_runtime_is_refused_by_name(
    dependent: str, other: str, said: str, built: SharedBases, docker: host.Engine
) -> None:
    option = f"--build-arg=BASE_IMAGE={built.image(f'{NAME}-{other}')}"
    failed = service.build(docker, built.root / DEPENDENTS[dependent].directory, options=[option])
    assert failed.code != 0
    assert said in failed.log


# tests/engine/test_sandbox.py builds a sandbox without shared base images.
@pytest.mark.parametrize("dependent", ["api", "web"])
def test_a_dependent_builds_and_runs_on_the_public_image_as_well(
    dependent: str, built: SharedBases, tmp_path: Path
) -> None:
    folder = tmp_path / dependent
    DEPENDENTS[dependent].write(folder)
    answers = service.new(folder, "-d", f"name={dependent}-alone")
    assert answers["base_image"] == ""
    tag = service.verify(folder, answers)
    built.docker.run("image", "rm", tag)
