"""`dockertpl verify`: build an image, run it as production would, wait until it is healthy, and stop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from dockertpl.commands import missing, proposal, with_services
from dockertpl.commands.base_layers import Base, find_base
from dockertpl.commands.built_image import built
from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.commands.limits import Limits
from dockertpl.commands.options import BuildOptions, Given, prepare
from dockertpl.commands.questions import Questions, check_paths
from dockertpl.commands.variables import from_example, with_smoke_test
from dockertpl.commands.verify_next import kept_text, next_steps, url
from dockertpl.commands.verify_view import Live, bad, figures, finding_text, good, path_lines
from dockertpl.engine import client as engine
from dockertpl.engine import container, owner
from dockertpl.engine.asking import Asked
from dockertpl.engine.findings import Finding
from dockertpl.engine.image import inspect_image
from dockertpl.engine.layer_cache import Layer
from dockertpl.engine.layers import layers
from dockertpl.engine.run import RunReport, run_strictly
from dockertpl.engine.strict import RunOptions
from dockertpl.engine.waiting import Observer
from dockertpl.errors import BrokenError, DockertplError, UnhealthyError
from dockertpl.interrupts import terminable
from dockertpl.screen import counted, say


def run(
    *,
    destination: Path,
    dockerfile: Path | None = None,
    paths: Sequence[str] = (),
    paths_only: bool = False,
    max_bytes: str | None = None,
    max_ready: float | None = None,
    baseline: str | None = None,
    markdown: str | None = None,
    keep: bool = False,
    quiet: bool,
    **given: Unpack[Given],
) -> tuple[int, Mapping[str, Any]]:
    """Verify one image. The image stays in the engine's store as `dockertpl/NAME:verify`.

    Args:
        destination: The repository's root, or the application's folder.
        dockerfile: The Dockerfile, if there are several or no answers file names it.
        paths: More paths to request once the image is healthy.
        paths_only: Whether to request only these.
        max_bytes: The limit of unpacked bytes, with a unit.
        max_ready: The limit of seconds to the first good answer.
        baseline: A file of `verify --json`, or a commit, to compare with.
        markdown: A file for a summary, or "-" for stdout.
        keep: Whether to leave the container running.
        given: How to build and run it.

    Returns:
        0, and the figures of the contract.

    Raises:
        DockertplError: The image did not build or does not pass. `data` has the figures so far.
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
    limits = Limits(max_bytes=max_bytes, max_ready=max_ready, baseline=baseline, markdown=markdown)
    try:
        with terminable():
            prepared = prepare(destination, dockerfile, given, keep=keep)
            check_paths(paths)
            limits.check(as_json=quiet)

            def verified(one: Subject, known: dict[str, Any], again: bool) -> None:
                own = replace(prepared.run, keep=keep and not again)
                planned = with_services.plan(one, given.get("with_", ()), given.get("run_first", ()), own)
                _Work(
                    subject=one,
                    build=prepared.build,
                    options=with_smoke_test(one, own, quiet or again, planned.templates),
                    planned=planned,
                    # A baseline and another start are only about size and time, so no paths are requested.
                    questions=Questions(one, () if again else paths, paths_only=paths_only or again),
                    facts=known,
                    quiet=quiet or again,
                ).verify()

            with limits.around(prepared.subject, (destination, dockerfile), facts, verified, quiet=quiet):
                verified(prepared.subject, facts, False)
    except DockertplError as error:
        error.data = {**facts, **error.data}
        error.headline = bad(facts, error)
        raise
    say(quiet=quiet)
    say(good(facts), quiet=quiet, color="green")
    return 0, facts


def plainly(destination: Path, dockerfile: Path, *, paths_only: bool = False, quiet: bool) -> Mapping[str, Any]:
    """Verify an image with only the options in its files, and return the figures.

    Args:
        destination: The repository's root.
        paths_only: Whether to check only its health.

    Raises:
        DockertplError: The image did not build or does not pass.
    """
    _, facts = run(destination=destination, dockerfile=dockerfile, paths_only=paths_only, quiet=quiet)
    return facts


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The verification of one image.

    Attributes:
        subject: The image.
        build: How to build it.
        options: How to run it.
        planned: What to start beside it.
        questions: What to request from it.
        facts: Receives the figures as they become known.
        quiet: Whether to print nothing.
    """

    subject: Subject
    build: BuildOptions
    options: RunOptions
    planned: with_services.Plan
    questions: Questions
    facts: dict[str, Any]
    quiet: bool

    def verify(self) -> None:
        """Build and run the image, and raise its first failure."""
        client = engine.find()
        name, keep = self.subject.name, self.options.keep
        try:
            around = with_services.started(client, self.planned, name, self.facts, self.quiet, keep=keep)
            with owner.sweeping(client), around as side:
                self._build_and_run(client, side)
        except (UnhealthyError, BrokenError) as error:
            if isinstance(error, BrokenError) or not error.missing:
                error.remedy = proposal.propose(self.subject, self.planned, error) or error.remedy
            if error is side.failed:
                self.facts["findings"].append(with_services.as_finding(error))
            raise

    def _build_and_run(self, client: engine.Client, side: with_services.Side) -> None:
        # The file may change during the build.
        text = self.subject.dockerfile.read_text("utf-8", "replace")
        base_of = partial(find_base, text, self.build.target, self.build.build_args)
        with built(client, self.subject, self.build, self.facts, self.quiet) as image:
            options = side.ready(self.options)
            try:
                self._run(client, image, options, side, base_of)
            except UnhealthyError as error:
                lacks = error.lacks_setting and not options.env_files
                again = from_example(self.subject, options, self.quiet) if lacks else None
                if again is None:
                    raise
                _let_go(client, self.facts)
                self._run(client, image, again, side, base_of)

    def _run(
        self,
        client: engine.Client,
        built: str,
        options: RunOptions,
        side: with_services.Side,
        base_of: Callable[[Sequence[Layer]], Base | None],
    ) -> None:
        facts, quiet = self.facts, self.quiet
        image = inspect_image(client, built)
        side.run_first(image, self.subject.name, options)
        with Live(quiet, "starting", "Running it as production would …") as live:
            observer = Observer(self.questions.found, on_watched=live.watched, on_asked=live.asked, on_phase=live.phase)
            report = run_strictly(client, image, name=self.subject.name, options=options, observer=observer)
            if report.kept:
                facts |= {"container": report.kept, "url": url(report.port)}
            live.phase("reading its layers")
            try:
                contents = layers(client, built)
            except BaseException:
                _let_go(client, facts)
                raise
        found = [explained(self.subject, finding, image.workdir) for finding in report.findings]
        facts |= as_facts(report, contents, found)
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
            raise broken(failing)
        if not quiet:
            say()
            say(next_steps(self.subject, image, options, beside_it=bool(side.kept[0])))


def _let_go(client: engine.Client, facts: dict[str, Any]) -> None:
    """Remove a container that was kept."""
    if name := facts.pop("container", None):
        facts.pop("url")
        container.remove(client, name)


def explained(subject: Subject, finding: Finding, workdir: str) -> Finding:
    """Return a finding with the reason why a file is missing in the image, if the repository shows it."""
    remedy = missing.explain(subject, finding.missing, workdir) if finding.missing else ""
    return finding._replace(remedy=remedy) if remedy else finding


def broken(failing: Sequence[Finding]) -> BrokenError:
    """Return the error of an image that is healthy but has findings."""
    return BrokenError(
        f"The image is healthy, and {counted(len(failing), 'thing is', 'things are')} wrong with it:\n"
        + "\n".join(finding_text(finding) for finding in failing),
        "\n".join(dict.fromkeys(finding.remedy for finding in failing if finding.remedy)),
    )


def as_facts(report: RunReport, contents: Sequence[Layer], found: Sequence[Finding]) -> dict[str, Any]:
    """Return the facts of a run, as in the JSON contract."""

    def rounded(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds, 3)

    return {
        "image_bytes": sum(layer.bytes for layer in contents),
        "layers": [{"bytes": layer.bytes, "instruction": layer.instruction} for layer in contents],
        "healthy": report.healthy,
        "uid": report.uid,
        "read_only": report.read_only,
        "paths": [as_json(one) for one in report.asked],
        "ready_seconds": rounded(report.ready_seconds),
        "healthy_seconds": rounded(report.healthy_seconds),
        "stop_seconds": rounded(report.stop_seconds),
        "findings": [
            {"rule": f.rule, "message": f.message, "remedy": f.remedy, "lines": list(f.lines), "fails": f.fails}
            for f in found
        ],
    }


def as_json(one: Asked) -> dict[str, Any]:
    """Return an answer, as in the JSON contract."""
    return {
        "path": one.question.path,
        "status": one.status,
        "verdict": one.verdict,
        "source": one.question.source,
        "detail": one.detail,
        "fails": one.fails,
        "seconds": round(one.ended - one.began, 3),
    }
