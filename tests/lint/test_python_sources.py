"""The sources and credentials of a Python build: each rendered file keeps the promise of an answer."""

from __future__ import annotations

import pytest
from tests.lint.rendering import Rendering


@pytest.fixture(scope="module")
def services(renderings: list[Rendering]) -> list[Rendering]:
    found = [one for one in renderings if one.answers["kind"] == "python-fastapi"]
    assert found
    return found


def _having(services: list[Rendering], answer: str) -> list[Rendering]:
    found = [one for one in services if one.answers[answer]]
    assert found, f"no set of answers has {answer}"
    return found


def _installs(one: Rendering) -> list[str]:
    """Return the steps that install the application's packages."""
    steps = [step.text for commands in one.stages.values() for step in commands if step.name == "RUN"]
    commands = ("uv sync", "uv pip install", "pdm install", "pipenv install")
    return [text for text in steps if any(command in text for command in commands)]


def _workflow(one: Rendering) -> str:
    return next((text for path, text in one.texts.items() if path.endswith(("-image.yml", "-image.yaml"))), "")


def test_build_secrets_are_mounted_where_packages_are_installed_and_nowhere_else(services: list[Rendering]) -> None:
    for one in _having(services, "build_secrets"):
        text = one.dockerfile.read_text()
        for name in one.answers["build_secrets"]:
            assert all(f"--mount=type=secret,id={name},env={name}" in step for step in _installs(one))
            assert f"ARG {name}" not in text
            assert f"ENV {name}" not in text
            if workflow := _workflow(one):
                assert f"secrets.{name}" in workflow or f"--secret id={name},env={name}" in workflow


def test_ssh_is_forwarded_to_every_installing_step_and_by_every_pipeline(services: list[Rendering]) -> None:
    for one in _having(services, "ssh"):
        assert all("--mount=type=ssh" in step for step in _installs(one))
        assert "openssh-client" in one.dockerfile.read_text()
        assert "openssh-client" not in "".join(step.text for step in one.stages["prod"])
        if one.answers["ci"] == "github":
            assert _workflow(one).count("ssh: default") >= 1
        if one.answers["ci"] == "gitlab":
            assert "--ssh default" in _workflow(one)
        if one.compose:
            assert "ssh: [default]" in one.compose


def test_a_version_from_git_is_an_argument_that_every_pipeline_fills(services: list[Rendering]) -> None:
    for one in _having(services, "version_from_git"):
        text = one.dockerfile.read_text()
        built = "uv pip install --no-deps --no-sources --prefix /project" in text
        assert text.count("ARG VERSION=0.0.0") == built
        assert "VERSION" not in "".join(step.text for step in one.stages["prod"])
        if one.answers["ci"] == "github":
            assert ("VERSION=${{ steps.names.outputs.version }}" in _workflow(one)) is built
            assert ("fetch-depth: 0" in _workflow(one)) is built
        if one.answers["ci"] == "gitlab":
            assert ('--build-arg "VERSION=$version"' in _workflow(one)) is built


def test_a_manager_s_version_is_the_one_that_is_installed(services: list[Rendering]) -> None:
    for one in _having(services, "manager_version"):
        manager, version = one.answers["manager"], one.answers["manager_version"]
        text = one.dockerfile.read_text()
        if manager in ("uv", "pip", "pyproject"):
            assert f"ARG UV_IMAGE=ghcr.io/astral-sh/uv:{version}\n" in text
        else:
            assert f"=={version}" in text


def test_several_indexes_are_searched_as_pip_does(services: list[Rendering]) -> None:
    for one in _having(services, "several_indexes"):
        assert "UV_INDEX_STRATEGY=unsafe-best-match" in one.dockerfile.read_text()
