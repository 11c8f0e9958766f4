"""The inputs of each action in the workflows are valid for the action and for its stand-in."""

from __future__ import annotations

import functools
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import harness, promises, rendering, standins

HERE = Path(__file__).parent
PINS = HERE.parents[1] / "templates" / "ci" / "actions.yml"
STANDINS = sorted(str(file.parent.relative_to(harness.ACTIONS)) for file in harness.ACTIONS.glob("*/*/action.yml"))


@functools.cache
def _known() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "inputs.toml").read_text())


@functools.cache
def _uses() -> list[tuple[str, dict[str, Any]]]:
    """Return each action of a rendered workflow with its inputs."""
    texts = {text for files in rendering.workflows() for text in files.values()}
    steps = [step for text in texts for _, _, steps in promises.jobs(text) for step in steps if "uses" in step]
    assert steps
    return [(promises.action(step), step.get("with", {})) for step in steps]


def _standin(action: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((harness.ACTIONS / action / "action.yml").read_text())
    return found


def test_the_pinned_version_is_the_one_whose_inputs_are_written_down() -> None:
    pins = yaml.safe_load(PINS.read_text())
    assert {action: pin["version"] for action, pin in pins.items()} == {
        action: entry["version"] for action, entry in _known().items()
    }


@pytest.mark.slow
def test_every_input_that_is_given_exists() -> None:
    for action, given in _uses():
        assert given.keys() <= set(_known()[action]["inputs"]), action


def test_every_input_that_is_needed_is_given() -> None:
    for action, given in _uses():
        assert given.keys() >= set(_known()[action]["required"]), action


@pytest.mark.parametrize("action", STANDINS)
def test_a_standin_has_no_input_that_the_action_lacks(action: str) -> None:
    assert _standin(action)["inputs"].keys() <= set(_known()[action]["inputs"])


@pytest.mark.parametrize("action", STANDINS)
def test_a_standin_takes_every_input_that_a_workflow_gives(action: str) -> None:
    given = {name for used, values in _uses() if used == action for name in values}
    assert given <= _standin(action)["inputs"].keys()


def test_every_standin_is_run_by_its_own_name() -> None:
    assert sorted(standins.ACTIONS) == STANDINS
    for action in STANDINS:
        (step,) = _standin(action)["runs"]["steps"]
        assert step["run"].endswith(f" {action}")


class TestMetadata:
    """The tags and labels of the stand-in for docker/metadata-action."""

    TAGS = "type=ref,event=branch\ntype=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=sha"

    @pytest.fixture(autouse=True)
    def _job(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        event = tmp_path / "event.json"
        event.write_text(json.dumps({"repository": {"name": "orders", "html_url": "https://github.com/acme/orders"}}))
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
        monkeypatch.setenv("GITHUB_ENV", str(tmp_path / "env"))
        monkeypatch.setenv("GITHUB_SHA", "0123456789abcdef")

    def _outputs(self, **inputs: str) -> dict[str, str]:
        empty = dict.fromkeys(_standin("docker/metadata-action")["inputs"], "")
        return standins.metadata({**empty, "images": "registry.example.com/acme/orders", **inputs})

    @pytest.mark.parametrize(
        ("ref", "tags"),
        [
            ("refs/heads/main", ["main", "sha-0123456"]),
            ("refs/heads/feature/menu", ["feature-menu", "sha-0123456"]),
            ("refs/tags/v1.4.2", ["1.4.2", "1.4", "sha-0123456", "latest"]),
            ("refs/tags/v1.4.2-rc.1", ["1.4.2-rc.1", "sha-0123456"]),
            ("refs/pull/7/merge", ["sha-0123456"]),
        ],
    )
    def test_a_ref_gives_its_tags(self, ref: str, tags: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_REF", ref)
        expected = [f"registry.example.com/acme/orders:{tag}" for tag in tags]
        assert self._outputs(tags=self.TAGS)["tags"].splitlines() == expected

    @pytest.mark.parametrize(
        ("ref", "tags"),
        [
            ("refs/tags/orders-v1.4.2", ["1.4.2", "latest"]),
            ("refs/tags/menu-v1.4.2", []),
            ("refs/heads/orders-v1.4.2", []),
        ],
    )
    def test_a_pattern_takes_its_group_of_a_tag(
        self, ref: str, tags: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITHUB_REF", ref)
        outputs = self._outputs(tags=r"type=match,pattern=orders-v(\d+\.\d+\.\d+.*),group=1")
        assert outputs["tag-names"].split() == tags

    def test_latest_is_left_out_where_that_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_REF", "refs/tags/v1.4.2")
        outputs = self._outputs(tags="type=semver,pattern={{version}}", flavor="latest=false")
        assert outputs["tag-names"] == "1.4.2"

    def test_labels_say_where_the_image_comes_from(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
        labels = self._outputs(tags=self.TAGS, labels="org.opencontainers.image.title=menu")["labels"].splitlines()
        assert "org.opencontainers.image.source=https://github.com/acme/orders" in labels
        assert "org.opencontainers.image.revision=0123456789abcdef" in labels
        assert "org.opencontainers.image.title=menu" in labels


class TestBuild:
    """Return the error of the stand-in for docker/build-push-action before a build."""

    @pytest.fixture(autouse=True)
    def _job(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))

    def _inputs(self, **inputs: str) -> dict[str, str]:
        empty = dict.fromkeys(_standin("docker/build-push-action")["inputs"], "")
        return {**empty, "context": ".", **inputs}

    def _set_up(self) -> None:
        standins._job_file("builder").write_text("docker-container")

    def _refusal(self, capsys: pytest.CaptureFixture[str], **inputs: str) -> str:
        with pytest.raises(SystemExit):
            standins.build_push(self._inputs(**{key.replace("_", "-"): value for key, value in inputs.items()}))
        return capsys.readouterr().out

    @pytest.mark.parametrize(
        ("inputs", "what"),
        [
            ({"cache_to": "type=registry,ref=127.0.0.1:5000/a:cache"}, "Cache export"),
            ({"sbom": "true"}, "Attestation"),
            ({"provenance": "mode=max"}, "Attestation"),
            ({"platforms": "linux/amd64,linux/arm64"}, "Multi-platform build"),
        ],
    )
    def test_what_a_machine_s_own_builder_cannot(
        self, inputs: dict[str, str], what: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert f"{what} is not supported for the docker driver" in self._refusal(capsys, **inputs)

    def test_attestations_of_an_image_that_is_loaded(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._set_up()
        assert "does not currently support exporting" in self._refusal(capsys, load="true", sbom="true")

    def test_a_push_without_a_login(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._set_up()
        said = self._refusal(capsys, outputs="type=image,push=true", tags="127.0.0.1:5000/acme/orders:main")
        assert "denied" in said
