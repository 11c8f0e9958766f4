"""The options that `verify` and `run` have in common: how an image is built, and how it is run."""

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
        secrets: BuildKit secrets, each as `docker build --secret` takes it.
        ssh: SSH agents or keys, each as `docker build --ssh` takes it.
        environment: Variables for the container.
        env_files: Files with such variables.
        tmpfs: Paths that the application may write to.
        network: A network of the engine.
        timeout: Seconds to wait for healthy; None for the start period and the retries of the image's own probe.
        with_: Services to start beside it: NAME, NAME:VERSION or NAME=IMAGE.
        run_first: Commands to run in the image before it is started.
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
    """How an image is built. The attributes are those of `Given`."""

    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    ssh: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """One image, and how it is built and run. Nothing was built yet, and everything was checked."""

    subject: Subject
    build: BuildOptions
    run: RunOptions


def prepare(destination: Path, dockerfile: Path | None, given: Given, *, keep: bool = False) -> Prepared:
    """Find the Dockerfile that is meant, and check the options before an engine is looked for.

    Args:
        destination: The repository's root, or the application's folder.
        dockerfile: The Dockerfile, where there are several or none that an answers file names.
        given: The options.
        keep: Whether the container stays.

    Raises:
        BadInputError: There is no such Dockerfile, its image does not run by itself, or an option cannot be used.
    """
    subject = locate(destination, dockerfile)
    if subject.kind == SHARED_BASE:
        raise BadInputError(
            f"{subject.name} is of the kind {subject.kind}, which does not run by itself.",
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
