"""`dockertpl verify`: build an image, run it as production would, wait until it is healthy, and stop it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from dockertpl.commands import beside, missing, proposal
from dockertpl.commands.base_layers import Base, find_base
from dockertpl.commands.held import Held
from dockertpl.commands.questions import Questions, check_paths
from dockertpl.commands.subject import FAMILY_KIND, Subject, locate
from dockertpl.commands.verify_next import kept_text, next_steps, url
from dockertpl.commands.verify_view import Live, bad, figures, finding_text, good, path_lines
from dockertpl.detect import dotenv
from dockertpl.engine import client as engine
from dockertpl.engine import container, owner
from dockertpl.engine.asking import Asked
from dockertpl.engine.build import build, check_secret, check_ssh, tag_also, untag
from dockertpl.engine.findings import Finding
from dockertpl.engine.image import inspect_image
from dockertpl.engine.interrupts import terminable
from dockertpl.engine.layer_cache import Layer
from dockertpl.engine.layers import layers
from dockertpl.engine.run import run_strictly
from dockertpl.engine.strict import RunOptions, check_options
from dockertpl.engine.waiting import Observer
from dockertpl.errors import BadInputError, BrokenError, BuildFailedError, DockertplError, UnhealthyError
from dockertpl.screen import counted, say


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
    paths: Sequence[str] = (),
    paths_only: bool = False,
    with_: Sequence[str] = (),
    run_first: Sequence[str] = (),
    max_bytes: str | None = None,
    max_ready: float | None = None,
    baseline: str | None = None,
    markdown: str | None = None,
    keep: bool = False,
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
        paths: Paths to ask for besides, once it is healthy.
        paths_only: Whether to ask for nothing else.
        with_: Services to start beside it: NAME, NAME:VERSION or NAME=IMAGE.
        run_first: Commands to run in the image before it is started.
        max_bytes: The most unpacked bytes, with a unit.
        max_ready: The most seconds to the first good answer.
        baseline: A file that `verify --json` wrote or a commit, which the image must not outgrow.
        markdown: A file for a summary, or "-" for stdout.
        keep: Whether the container stays, whatever comes of it.
        quiet: Whether to print nothing.

    Returns:
        0, and the figures of the contract; with `keep` also the `container` that stays and its `url`.

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
        "services": [],
        "paths": [],
        "findings": [],
        "baseline": None,
        "tag": None,
        "error": None,
    }
    options = RunOptions(
        environment=environment, env_files=env_files, tmpfs=tmpfs, network=network, timeout=timeout, keep=keep
    )
    held = Held(max_bytes=max_bytes, max_ready=max_ready, baseline=baseline, markdown=markdown)
    try:
        with terminable():
            subject = locate(destination, dockerfile)
            check_kind(subject)
            check_options(options)
            check_paths(paths)
            for secret in secrets:
                check_secret(secret)
            for agent in ssh:
                check_ssh(agent)
            held.check(as_json=quiet)
            sources = {"build_args": build_args, "secrets": secrets, "ssh": ssh}

            def verified(one: Subject, known: dict[str, Any], again: bool) -> None:
                # A baseline, and one more start, are about size and time: no paths are asked for.
                questions = Questions(one, () if again else paths, paths_only=paths_only or again)
                own = replace(options, keep=options.keep and not again)
                planned = beside.plan(one, with_, run_first, own)
                given = with_smoke_test(one, own, quiet or again, planned.templates)
                _verify(one, target, sources, given, planned, questions, known, quiet or again)

            with held.around(subject, (destination, dockerfile), facts, verified, quiet=quiet):
                verified(subject, facts, False)
    except DockertplError as error:
        error.data = {**facts, **error.data}
        error.headline = bad(facts, error)
        raise
    say(quiet=quiet)
    say(good(facts), quiet=quiet, color="green")
    return 0, facts


def plainly(destination: Path, dockerfile: Path, *, paths_only: bool = False, quiet: bool) -> Mapping[str, Any]:
    """Verify an image with nothing but what its files say, and return the figures.

    Args:
        destination: The repository's root.
        dockerfile: The Dockerfile.
        paths_only: Whether to ask for its health alone.
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
        paths_only=paths_only,
        quiet=quiet,
    )
    return facts


def with_smoke_test(subject: Subject, options: RunOptions, quiet: bool, besides: Collection[str] = ()) -> RunOptions:
    """Return the options with the variables of the smoke test that the caller does not give.

    Args:
        subject: What is built.
        options: What the caller adds.
        quiet: Whether to print nothing.
        besides: Variables that get their values later.
    """
    given = {*besides, *options.environment, *(name for file in options.env_files for name in dotenv.read(file))}
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
    planned: beside.Plan,
    questions: Questions,
    facts: dict[str, Any],
    quiet: bool,
) -> None:
    """Fill in `facts` as they become known, and raise the first thing that is wrong."""
    client = engine.find()
    try:
        around = beside.started(client, planned, subject.name, facts, quiet, keep=options.keep)
        with owner.sweeping(client), around as side:
            _build_and_run(client, subject, target, sources, options, side, questions, facts, quiet)
    except (UnhealthyError, BrokenError) as error:
        if isinstance(error, BrokenError) or not error.missing:
            error.remedy = proposal.propose(subject, planned, error) or error.remedy
        if error is side.failed:
            facts["findings"].append(beside.as_finding(error))
        raise


def _build_and_run(
    client: engine.Client,
    subject: Subject,
    target: str | None,
    sources: Mapping[str, Any],
    options: RunOptions,
    side: beside.Side,
    questions: Questions,
    facts: dict[str, Any],
    quiet: bool,
) -> None:
    text = subject.dockerfile.read_text("utf-8", "replace")
    base_of = partial(find_base, text, target, sources["build_args"])
    with built(client, subject, target, sources, facts, quiet) as image:
        options = side.ready(options)
        try:
            _run(client, image, subject, options, side, questions, base_of, facts, quiet)
        except UnhealthyError as error:
            again = from_example(subject, options, quiet) if error.lacks_setting and not options.env_files else None
            if again is None:
                raise
            _let_go(client, facts)
            _run(client, image, subject, again, side, questions, base_of, facts, quiet)


@contextlib.contextmanager
def built(
    client: engine.Client,
    subject: Subject,
    target: str | None,
    sources: Mapping[str, Any],
    facts: dict[str, Any],
    quiet: bool,
) -> Iterator[str]:
    """Build an image, and hand over its id; what the block raises of it is explained.

    Args:
        client: The engine.
        subject: What is built.
        target: The stage, or None for the last.
        sources: Build arguments, secrets and SSH agents, as `build` takes them.
        facts: Gets what is known of the build.
        quiet: Whether to print nothing.
    """
    kept = f"dockertpl/{subject.name}:verify"
    # Another verify may move that tag meanwhile, and an image without a tag is one that the engine may drop.
    own = f"{kept}-{token_hex(4)}"
    try:
        with Live(quiet, "building", f"Building {_shown(subject.dockerfile)} …") as live:
            result = build(
                client,
                context=subject.context,
                dockerfile=subject.dockerfile,
                target=target,
                **sources,
                tag=own,
                on_progress=live.built,
            )
        tag_also(client, own, kept)
        facts.update(
            built=True,
            tag=kept,
            build_seconds=round(result.seconds, 3),
            steps=result.steps,
            cached_steps=result.cached_steps,
        )
        for warning in result.warnings:
            say(f"  warning: {warning}", quiet=quiet)
        yield result.image
    except (BuildFailedError, UnhealthyError) as error:
        if error.missing:
            error.remedy = missing.explain(subject, error.missing, _workdir(client, own, error)) or error.remedy
        raise
    finally:
        untag(client, own)


def _workdir(client: engine.Client, image: str, error: DockertplError) -> str:
    return inspect_image(client, image).workdir if isinstance(error, UnhealthyError) else "/app"


def _run(
    client: engine.Client,
    built: str,
    subject: Subject,
    options: RunOptions,
    side: beside.Side,
    questions: Questions,
    base_of: Callable[[Sequence[Layer]], Base | None],
    facts: dict[str, Any],
    quiet: bool,
) -> None:
    image = inspect_image(client, built)
    side.run_first(image, subject.name, options)
    with Live(quiet, "starting", "Running it as production would …") as live:
        observer = Observer(questions.found, on_watched=live.watched, on_asked=live.asked, on_phase=live.phase)
        report = run_strictly(client, image, name=subject.name, options=options, observer=observer)
        if report.kept:
            facts |= {"container": report.kept, "url": url(report.port)}
        live.phase("reading its layers")
        try:
            contents = layers(client, built)
        except BaseException:
            _let_go(client, facts)
            raise
    facts.update(
        image_bytes=sum(layer.bytes for layer in contents),
        layers=[{"bytes": layer.bytes, "instruction": layer.instruction} for layer in contents],
        healthy=report.healthy,
        uid=report.uid,
        read_only=report.read_only,
        paths=[as_json(one) for one in report.asked],
    )
    for figure in ("ready_seconds", "healthy_seconds", "stop_seconds"):
        seconds = getattr(report, figure)
        facts[figure] = None if seconds is None else round(seconds, 3)
    found = [explained(subject, finding, image.workdir) for finding in report.findings]
    facts["findings"] = [
        {"rule": f.rule, "message": f.message, "remedy": f.remedy, "lines": list(f.lines), "fails": f.fails}
        for f in found
    ]
    say(figures(facts, contents, base_of(contents)), quiet=quiet)
    say("\n".join(path_lines(report.asked)), quiet=quiet or not report.asked)
    if report.kept:
        say(kept_text(report.kept, url(report.port), *side.kept), quiet=quiet)
    if report.error:
        raise report.error
    for finding in found:
        if not finding.fails:
            say(finding_text(finding), quiet=quiet)
    if failing := [finding for finding in found if finding.fails]:
        raise BrokenError(
            f"The image is healthy, and {counted(len(failing), 'thing is', 'things are')} wrong with it:\n"
            + "\n".join(finding_text(finding) for finding in failing),
            "\n".join(dict.fromkeys(finding.remedy for finding in failing if finding.remedy)),
        )
    if not quiet:
        say()
        say(next_steps(subject, image, options, beside_it=bool(side.kept[0])))


def _let_go(client: engine.Client, facts: dict[str, Any]) -> None:
    """Remove a container that was to stay."""
    if name := facts.pop("container", None):
        facts.pop("url")
        container.remove(client, name)


def explained(subject: Subject, finding: Finding, workdir: str) -> Finding:
    """Return a finding with the reason why the image lacks its file, where that can be seen in the repository."""
    remedy = missing.explain(subject, finding.missing, workdir) if finding.missing else ""
    return finding._replace(remedy=remedy) if remedy else finding


def as_json(one: Asked) -> dict[str, Any]:
    """Return an answer as the contract has it."""
    return {
        "path": one.question.path,
        "status": one.status,
        "verdict": one.verdict,
        "source": one.question.source,
        "detail": one.detail,
        "fails": one.fails,
        "seconds": round(one.ended - one.began, 3),
    }


def check_kind(subject: Subject) -> None:
    """Refuse a family of base images, which does not run by itself. Raises BadInputError."""
    if subject.kind == FAMILY_KIND:
        raise BadInputError(
            f"{subject.name} is of the kind {subject.kind}, which does not run by itself.",
            "Build it with: docker buildx bake",
        )


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
