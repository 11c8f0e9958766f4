"""Every compose.yaml and every ignore file of the pairwise set is correct."""

from __future__ import annotations

from typing import Any

import pathspec
import pytest
import yaml
from tests.lint.kinds import kind_of
from tests.lint.rendering import Rendering

SECRETS = [
    ".env",
    ".env.local",
    "prod.env",
    ".netrc",
    ".pypirc",
    "key.pem",
    "tls.key",
    "id_rsa",
    "id_ed25519",
    ".ssh/config",
    ".aws/credentials",
    ".git/config",
]


def _composed(renderings: list[Rendering], *, stage: str = "") -> list[tuple[Rendering, dict[str, Any]]]:
    """Return the compose files, only of kinds with the stage if one is given."""
    pairs = ((rendering, yaml.safe_load(rendering.compose)) for rendering in renderings if rendering.compose)
    result = [pair for pair in pairs if not stage or stage in kind_of(pair[0].answers).stages]
    assert result
    return result


def test_a_compose_file_is_there_on_request_only(renderings: list[Rendering]) -> None:
    assert [rendering for rendering in renderings if bool(rendering.compose) != rendering.answers["compose"]] == []


def test_compose_builds_a_stage_of_this_dockerfile(renderings: list[Rendering]) -> None:
    for rendering, composed in _composed(renderings):
        (service,) = composed["services"].values()
        folder = rendering.dockerfile.parent
        context = (folder / service["build"]["context"]).resolve()
        assert context == (rendering.root / rendering.answers["context"]).resolve()
        assert context / service["build"].get("dockerfile", "Dockerfile") == rendering.dockerfile.resolve()
        assert service["build"]["target"] == kind_of(rendering.answers).stages[0]


def test_compose_publishes_on_loopback_only(renderings: list[Rendering]) -> None:
    for rendering, composed in _composed(renderings):
        (service,) = composed["services"].values()
        ports = kind_of(rendering.answers).ports(rendering.answers)
        assert service.get("ports", []) == [f"127.0.0.1:{port}:{port}" for port in ports]


def test_compose_syncs_the_code_and_rebuilds_on_a_manifest(renderings: list[Rendering]) -> None:
    for rendering, composed in _composed(renderings, stage="dev"):
        (service,) = composed["services"].values()
        rules = [(rule["action"], rule["path"].lstrip("./")) for rule in service["develop"]["watch"]]
        synced = [path for action, path in rules if action == "sync"]
        # The application's folder, and the installed members of its workspace. With its own lock, it has no members.
        answers = rendering.answers
        alone = answers["kind"] == "python-fastapi" and answers.get("own_lock")
        assert synced == ["", *([] if alone else answers.get("workspace_packages", []))]
        assert {action for action, _ in rules[len(synced) :]} == {"rebuild"}


@pytest.mark.parametrize("folder", ["", "app/", "deep/er/"])
def test_secrets_are_in_no_context(folder: str, renderings: list[Rendering]) -> None:
    for rendering in renderings:
        spec = _spec(rendering.ignore_file)
        assert [name for name in SECRETS if not spec.match_file(folder + name)] == []


def test_what_the_build_needs_is_in_the_context(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        spec = _spec(rendering.ignore_file)
        assert [name for name in kind_of(rendering.answers).kept if spec.match_file(name)] == []


def _spec(text: str) -> pathspec.PathSpec[Any]:
    # Docker's patterns start at the root, and git's do not. With **/ in front, both mean the same.
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    rooted = [line if line.startswith(("**/", "!")) else f"/{line}" for line in lines]
    syntax = "gitignore" if int(pathspec.__version__.split(".")[0]) >= 1 else "gitwildmatch"
    return pathspec.PathSpec.from_lines(syntax, rooted)
