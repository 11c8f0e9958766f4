"""`dockertpl verify`: build an image, run it as production would, wait until it is healthy, and stop it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import click

from dockertpl.commands import missing
from dockertpl.commands.subject import FAMILY_KIND, Subject, locate
from dockertpl.detect import dotenv
from dockertpl.engine import client as engine
from dockertpl.engine.build import build, check_secret, check_ssh, tag_also, untag
from dockertpl.engine.image import Layer, inspect_image, layers
from dockertpl.engine.interrupts import terminable
from dockertpl.engine.progress import Progress
from dockertpl.engine.run import RunOptions, check_options, run_strictly
from dockertpl.errors import BadInputError, BuildFailedError, DockertplError, UnhealthyError
from dockertpl.screen import printable, redraws, say

_BIGGEST = 5
_WIDTH = 80


def run(
    *,
    destination: Path,
    dockerfile: Path | None,
    target: str | None,
    build_args: Mapping[str, str],
    secrets: Sequence[str],
    ssh: Sequence[str] = (),
    environment: Mapping[str, str],
    env_files: Sequence[Path],
    tmpfs: Sequence[str],
    network: str | None,
    timeout: float | None,
    quiet: bool,
) -> tuple[int, Mapping[str, Any]]:
    """Verify one image. The image stays in the engine's store as `dockertpl/NAME:verify`; its container does not stay.

    Args:
        destination: The repository's root, or the application's folder.
        dockerfile: The Dockerfile, where there are several or none that an answers file names.
        target: The stage to build, or None for the last.
        build_args: Build arguments.
        secrets: BuildKit secrets, each as `docker build --secret` takes it.
        ssh: SSH agents or keys, each as `docker build --ssh` takes it.
        environment: Variables for the container.
        env_files: Files with such variables.
        tmpfs: Paths that the application may write to.
        network: A network of the engine's.
        timeout: Seconds to wait for healthy; None for the start period and the retries of the image's own probe.
        quiet: Whether to print nothing.

    Returns:
        0, and the figures of the contract.

    Raises:
        DockertplError: It did not build, or is not as it must be; `data` has the figures that are known.
    """
    facts: dict[str, Any] = {
        "built": False,
        "healthy": False,
        "uid": None,
        "read_only": None,
        "ready_seconds": None,
        "healthy_seconds": None,
        "stop_seconds": None,
        "image_bytes": None,
        "layers": [],
        "build_seconds": None,
        "steps": None,
        "cached_steps": None,
        "error": None,
    }
    options = RunOptions(environment=environment, env_files=env_files, tmpfs=tmpfs, network=network, timeout=timeout)
    try:
        with terminable():
            subject = locate(destination, dockerfile)
            _check_kind(subject)
            check_options(options)
            for secret in secrets:
                check_secret(secret)
            for agent in ssh:
                check_ssh(agent)
            sources = {"build_args": build_args, "secrets": secrets, "ssh": ssh}
            _verify(subject, target, sources, with_smoke_test(subject, options, quiet), facts, quiet)
    except DockertplError as error:
        error.data = {**facts, **error.data}
        raise
    return 0, facts


def plainly(destination: Path, dockerfile: Path, *, quiet: bool) -> Mapping[str, Any]:
    """Verify an image with nothing but what its files say, and return the figures.

    Args:
        destination: The repository's root.
        dockerfile: The Dockerfile.
        quiet: Whether to print nothing.

    Raises:
        DockertplError: It did not build, or is not as it must be.
    """
    _, facts = run(
        destination=destination,
        dockerfile=dockerfile,
        target=None,
        build_args={},
        secrets=(),
        environment={},
        env_files=(),
        tmpfs=(),
        network=None,
        timeout=None,
        quiet=quiet,
    )
    return facts


def with_smoke_test(subject: Subject, options: RunOptions, quiet: bool) -> RunOptions:
    """Return the options with the variables of the smoke test that the caller does not give.

    Args:
        subject: What is built.
        options: What the caller adds.
        quiet: Whether to print nothing.
    """
    given = {*options.environment, *(name for file in options.env_files for name in dotenv.read(file))}
    added = {name: value for name, value in subject.environment.items() if name not in given}
    if added:
        say(f"With {', '.join(added)} of the smoke test (answer smoke_test_env).", quiet=quiet)
    return replace(options, environment={**added, **options.environment})


def from_example(subject: Subject, options: RunOptions, quiet: bool) -> RunOptions | None:
    """Return the options with what the example file of variables has besides; None where that is nothing.

    Args:
        subject: What is built.
        options: What was given so far.
        quiet: Whether to print nothing.
    """
    for folder in dict.fromkeys([subject.dockerfile.parent, subject.context]):
        for name in dotenv.NAMES:
            file = folder / name
            values = dotenv.read(file) if file.is_file() else {}
            added = {key: value for key, value in values.items() if value and key not in options.environment}
            if added:
                say(f"A setting is missing. Once more, with {', '.join(added)} of {_shown(file)} …", quiet=quiet)
                return replace(options, environment={**added, **options.environment})
    return None


def _verify(
    subject: Subject,
    target: str | None,
    sources: Mapping[str, Any],
    options: RunOptions,
    facts: dict[str, Any],
    quiet: bool,
) -> None:
    """Fill in `facts` as they become known, and raise the first thing that is wrong."""
    client = engine.find()
    kept = f"dockertpl/{subject.name}:verify"
    # Another verify may move that tag meanwhile, and an image without a tag is one that the engine may drop.
    own = f"{kept}-{token_hex(4)}"
    say(f"Building {_shown(subject.dockerfile)} …", quiet=quiet)
    try:
        with Ticker(quiet) as show:
            result = build(
                client,
                context=subject.context,
                dockerfile=subject.dockerfile,
                target=target,
                **sources,
                tag=own,
                on_progress=show,
            )
        tag_also(client, own, kept)
        facts.update(
            built=True, build_seconds=round(result.seconds, 3), steps=result.steps, cached_steps=result.cached_steps
        )
        for warning in result.warnings:
            say(f"  warning: {warning}", quiet=quiet)
        try:
            _run(client, result.image, subject.name, options, facts, quiet)
        except UnhealthyError as error:
            again = from_example(subject, options, quiet) if error.lacks_setting and not options.env_files else None
            if again is None:
                raise
            _run(client, result.image, subject.name, again, facts, quiet)
    except (BuildFailedError, UnhealthyError) as error:
        if error.missing:
            error.remedy = missing.explain(subject, error.missing, _workdir(client, own, error)) or error.remedy
        raise
    finally:
        untag(client, own)


def _workdir(client: engine.Client, image: str, error: DockertplError) -> str:
    return inspect_image(client, image).workdir if isinstance(error, UnhealthyError) else "/app"


def _run(client: engine.Client, built: str, name: str, options: RunOptions, facts: dict[str, Any], quiet: bool) -> None:
    image = inspect_image(client, built)
    contents = layers(client, built)
    facts.update(
        image_bytes=sum(layer.bytes for layer in contents),
        layers=[{"bytes": layer.bytes, "instruction": layer.instruction} for layer in contents],
    )
    say("Running it as production would …", quiet=quiet)
    report = run_strictly(client, image, name=name, options=options)
    facts.update(healthy=report.healthy, uid=report.uid, read_only=report.read_only)
    for figure in ("ready_seconds", "healthy_seconds", "stop_seconds"):
        seconds = getattr(report, figure)
        facts[figure] = None if seconds is None else round(seconds, 3)
    say(_table(facts, contents), quiet=quiet)
    if report.error:
        raise report.error
    root = "a read-only root" if report.read_only else "a writable root"
    say(f"healthy as uid {report.uid} on {root}", quiet=quiet)


def _check_kind(subject: Subject) -> None:
    if subject.kind == FAMILY_KIND:
        raise BadInputError(
            f"{subject.name} is of the kind {subject.kind}, which does not run by itself.",
            "Build it with: docker buildx bake",
        )


def _table(facts: Mapping[str, Any], contents: Sequence[Layer]) -> str:
    """Return the figures as lines of at most 80 columns."""
    rows = [("image", f"{_megabytes(facts['image_bytes'])} unpacked, {len(contents)} layers")]
    biggest = sorted(contents, key=lambda layer: layer.bytes, reverse=True)[:_BIGGEST]
    rows += [("", f"{_megabytes(layer.bytes):>9}  {layer.instruction}") for layer in biggest]
    rows += [
        (
            "built in",
            f"{_seconds(facts['build_seconds'])} ({facts['cached_steps']} of {facts['steps']} steps cached)",
        ),
        ("ready in", _seconds(facts["ready_seconds"])),
        ("healthy in", _seconds(facts["healthy_seconds"])),
        ("stopped in", _seconds(facts["stop_seconds"])),
        ("user", "unknown" if facts["uid"] is None else f"uid {facts['uid']}"),
        ("root", "read-only" if facts["read_only"] else "not read-only"),
    ]
    return "\n".join(_cut(f"  {label:<11} {text}", _WIDTH) for label, text in rows)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f} s"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


class Ticker:
    """The step that runs, on one line of a terminal that is written over; elsewhere nothing."""

    def __init__(self, quiet: bool) -> None:
        # On a terminal that cannot write over a line, and for a screen reader, each step would be a line of its own.
        self.live = not quiet and redraws()
        self._began = time.monotonic()
        self._shown = ""

    def __enter__(self) -> Callable[[Progress], None]:
        return self.show if self.live else lambda progress: None

    def __exit__(self, *_: object) -> None:
        if self.live:
            click.echo("\r\x1b[K", nl=False, err=True)

    def show(self, progress: Progress) -> None:
        """Write over the line with how far the build is."""
        width = shutil.get_terminal_size((_WIDTH, 24)).columns - 1
        line = ticker_line(progress, time.monotonic() - self._began, width)
        if line != self._shown:
            self._shown = line
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)


def ticker_line(progress: Progress, seconds: float, width: int) -> str:
    """Return how far a build is, on one line.

    How long a step takes is not known before its end. What a transfer has left is, where it says how large it is.

    Args:
        progress: The build.
        seconds: How long it has been going.
        width: The most characters.
    """
    head = f"  {progress.done()}/{len(progress.steps())} {seconds:.0f} s"
    current, total = progress.moved()
    if total:
        head += f", {_megabytes(current)} of {total / 1e6:.1f}"
        if 0 < current < total and seconds:
            head += f", {(total - current) * seconds / current:.0f} s left"
    return _cut(f"{head}  {printable(' '.join(progress.current.split()))}", width)
