"""The options that `verify` and `run` share: how to build an image, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from dockertpl.commands.dockerfile_to_build import Subject, locate
from dockertpl.engine.build import check_secret, check_ssh
from dockertpl.engine.strict import RunOptions, check_options
from dockertpl.errors import BadInputError
from dockertpl.kinds import SHARED_BASE


class Given(TypedDict, total=False):
    """The options, as the command line names them.

    Attributes:
        target: The stage to build, or None for the last.
        build_args: Build arguments.
        secrets: BuildKit secrets, in the syntax of `docker build --secret`.
        ssh: SSH agents or keys, in the syntax of `docker build --ssh`.
        environment: Variables for the container.
        env_files: Files with variables for the container.
        tmpfs: Paths that the application may write to.
        network: A network of the engine.
        timeout: Seconds to wait for healthy. None uses the start period and retries of the image's probe.
        with_: Services to start: NAME, NAME:VERSION or NAME=IMAGE.
        run_first: Commands to run in the image before it starts.
    """

    target: str | None
    build_args: Mapping[str, str]
    secrets: Sequence[str]
    ssh: Sequence[str]
    environment: Mapping[str, str]
    env_files: Sequence[Path]
    tmpfs: Sequence[str]
    network: str | None
    timeout: float | None
    with_: Sequence[str]
    run_first: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How to build an image. See `Given` for the attributes."""

    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    ssh: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An image with its checked options, before the build."""

    subject: Subject
    build: BuildOptions
    run: RunOptions


def prepare(destination: Path, dockerfile: Path | None, given: Given, *, keep: bool = False) -> Prepared:
    """Find the Dockerfile to build, and check the options before looking for an engine.

    Args:
        destination: The repository's root, or the application's folder.
        dockerfile: The Dockerfile, if there are several or no answers file names it.
        given: The options.
        keep: Whether to keep the container.

    Raises:
        BadInputError: The Dockerfile does not exist, its image cannot run, or an option is not valid.
    """
    subject = locate(destination, dockerfile)
    if subject.kind == SHARED_BASE:
        raise BadInputError(
            f"{subject.name} is of the kind {subject.kind}: base images, which do not run.",
            "Build it with: docker buildx bake",
        )
    build = BuildOptions(
        target=given.get("target"),
        build_args=given.get("build_args", {}),
        secrets=given.get("secrets", ()),
        ssh=given.get("ssh", ()),
    )
    run = RunOptions(
        environment=given.get("environment", {}),
        env_files=given.get("env_files", ()),
        tmpfs=given.get("tmpfs", ()),
        network=given.get("network"),
        timeout=given.get("timeout"),
        keep=keep,
    )
    check_options(run)
    for secret in build.secrets:
        check_secret(secret)
    for agent in build.ssh:
        check_ssh(agent)
    return Prepared(subject=subject, build=build, run=run)
