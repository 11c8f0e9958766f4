"""Run a service image with production settings until it is healthy, then stop it with SIGTERM."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockertpl.engine import asking, container, findings, verdict
from dockertpl.engine.client import Client, says
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.logs import Log
from dockertpl.engine.strict import RunOptions, memory, patience, strict_options
from dockertpl.engine.waiting import Observer, Running, check_log, wait
from dockertpl.errors import BadInputError, DockertplError, MachineError, UnhealthyError

GRACE = 10  # seconds between SIGTERM and SIGKILL, Docker's default
_LOG_LINES = 30


@dataclass(kw_only=True)
class RunReport:
    """The result of a run. Values that were not reached are None.

    Attributes:
        healthy: Whether the engine reports it healthy, and it answers on its published port.
        uid: The uid of its first process.
        read_only: Whether its root was read-only.
        ready_seconds: From the start to the first good answer, polled every 10 ms. Without a port, to the end of the
            first health check that succeeds.
        healthy_seconds: From the start to the end of the first good health check, by the engine's clock.
        stop_seconds: From SIGTERM to the end of its first process.
        asked: The requests to the healthy container.
        findings: Problems of the healthy container.
        kept: The name of the container if it was kept.
        port: Its port on this machine, or None.
        error: The first error, or None.
    """

    healthy: bool = False
    uid: int | None = None
    read_only: bool = False
    ready_seconds: float | None = None
    healthy_seconds: float | None = None
    stop_seconds: float | None = None
    asked: list[asking.Asked] = field(default_factory=list)
    findings: list[findings.Finding] = field(default_factory=list)
    kept: str = ""
    port: int | None = None
    error: DockertplError | None = None


def run_strictly(
    client: Client, image: ImageFacts, *, name: str, options: RunOptions, observer: Observer | None = None
) -> RunReport:
    """Run an image with production settings, and return a report. The container is removed unless it is kept.

    The container has the image's user and a read-only root, with a tmpfs on /tmp and the paths of its labels. It has no
    capabilities, limits for memory and processes, and an ephemeral loopback port.

    Args:
        client: The engine.
        image: From `inspect_image`.
        name: A part of the container's name.
        options: The caller's options.
        observer: The caller's callbacks.

    Raises:
        BadInputError: The engine refuses an option.
        NoEngineError: The engine is gone.
        KeyboardInterrupt: After the container was removed.
    """
    report, observer = RunReport(), observer or Observer()
    try:
        with started(client, image, name=name, options=options) as running, _followed(client, running) as log:
            report.read_only = running.state.read_only
            seen = wait(client, running, image, options, log, observer, for_health=image.has_healthcheck)
            report.ready_seconds = seen.ready
            healthy = seen.state.health == "healthy"
            if healthy:
                first = next((p.ended for p in seen.state.probes if p.exit_code == 0), 0.0)
                report.healthy_seconds = max(0.0, first - seen.state.started) if first else None
            report.healthy = healthy and (seen.ready is not None or running.port is None)
            if seen.state.running:
                report.uid = _uid(client, running.name, image.user)
            else:
                report.uid = container.configured_uid(client, running.name, image.user)
                log.drain()
            lines = log.last(_LOG_LINES) if not report.healthy else []
            report.error = verdict.health(seen, image, lines, patience(image, options), memory(image))
            if report.healthy:
                _ask(report, running, image, log, observer)
                check_log(client, running, log)
            if options.keep:
                report.kept, report.port = running.name, running.port
                report.error = report.error or verdict.user(report.uid)
            elif report.healthy or (seen.state.running and not image.has_healthcheck):
                observer.on_phase("stopping")
                ended, report.stop_seconds = container.stop(client, running.name, GRACE)
                if log.failed():
                    raise MachineError("The engine did not send the container's log.", "Restart the engine.")
                report.error = report.error or verdict.user(report.uid)
                # A request that hangs may block the end.
                if not any(finding.fails for finding in report.findings):
                    report.error = report.error or verdict.stop(ended, report.stop_seconds, GRACE)
    except UnhealthyError as error:
        report.error = error
    return report


def _ask(report: RunReport, running: Running, image: ImageFacts, log: Log, observer: Observer) -> None:
    """Send requests to a healthy container, and check its log."""
    if running.port is not None and (questions := observer.questions(running.port)):
        observer.on_phase("asking")
        report.asked = asking.ask(running.port, questions, on_asked=observer.on_asked)
    report.findings = findings.find(report.asked, log.lines(), image.workdir)


def ready_seconds(client: Client, image: ImageFacts, *, name: str, options: RunOptions) -> float:
    """Run an image until its first good answer, and return the seconds from the start.

    Raises:
        UnhealthyError: It had no good answer.
        BadInputError, NoEngineError, KeyboardInterrupt: As for `run_strictly`.
    """
    with started(client, image, name=name, options=options) as running, _followed(client, running) as log:
        seen = wait(client, running, image, options, log, Observer(), for_health=False)
        if seen.ready is None:
            error = verdict.health(seen, image, log.last(_LOG_LINES), patience(image, options), memory(image))
            raise error or UnhealthyError("The image has no port to check.", "Add an EXPOSE line to the Dockerfile.")
        return seen.ready


@contextlib.contextmanager
def healthy(
    client: Client, image: ImageFacts, *, name: str, options: RunOptions, observer: Observer
) -> Iterator[tuple[Running, Log]]:
    """Run an image, and yield it once it is healthy. At the end of the block, stop it with SIGTERM.

    Args:
        client: The engine.
        image: From `inspect_image`.
        name: A part of the container's name.
        options: The caller's options.
        observer: The caller's callbacks.

    Raises:
        UnhealthyError: It does not become healthy. Without a HEALTHCHECK, a good answer is enough.
        BadInputError, NoEngineError, KeyboardInterrupt: As for `run_strictly`.
    """
    with started(client, image, name=name, options=options) as running, _followed(client, running) as log:
        seen = wait(client, running, image, options, log, observer, for_health=image.has_healthcheck)
        if not seen.state.running:
            log.drain()
        error = verdict.health(seen, image, log.last(_LOG_LINES), patience(image, options), memory(image))
        if error and not (seen.ready is not None and not image.has_healthcheck):
            raise error
        try:
            yield running, log
        finally:
            container.stop(client, running.name, GRACE)


@contextlib.contextmanager
def _followed(client: Client, running: Running) -> Iterator[Log]:
    log = Log(client, running.name)
    try:
        yield log
    finally:
        log.close()


@contextlib.contextmanager
def started(client: Client, image: ImageFacts, *, name: str, options: RunOptions) -> Iterator[Running]:
    """Create and start a strict container, yield it, and remove it at the end of the block.

    With `keep` it stays, unless the block was interrupted or the engine failed.
    """
    container_name, words, stays = container.new_name(name), strict_options(image, options), False
    try:
        made = container.create(client, container_name, image.image, words, lasting=options.keep)
        if made.code != 0:
            raise _refused(says(made), options)
        wall, called = time.time(), time.monotonic()
        begun = container.start(client, container_name)
        took = time.monotonic() - called
        if begun.code != 0:
            raise verdict.start(says(begun)) if _is_ours(says(begun)) else _refused(says(begun), options)
        state = container.state(client, container_name)
        # Prefer the engine's start time. This needs a common clock.
        by_engine = state.started - wall
        port = state.ports[0] if state.ports and container.is_local(client) else None
        moment = called + by_engine if 0 <= by_engine <= took else called
        yield Running(name=container_name, port=port, started=moment, state=state)
        stays = options.keep
    finally:
        if not stays:
            container.remove(client, container_name)


def _uid(client: Client, name: str, user: str) -> int | None:
    """Return the uid of the first process inside the container.

    Trust the uid on the engine's machine, unless uids are shifted there.
    """
    configured = container.configured_uid(client, name, user)
    actual = container.running_uid(client, name)
    if actual is None or actual == configured:
        return configured
    return configured if container.shifts_uids(client) else actual


def _is_ours(complaint: str) -> bool:
    """Return whether the image, not an option, is the reason that a container did not start."""
    return bool(re.search(r"exec|runc|shim|OCI|no such file|permission denied", complaint)) and not re.search(
        r"network|mount.*invalid|tmpfs", complaint
    )


def _refused(complaint: str, options: RunOptions) -> BadInputError:
    if options.network and "network" in complaint:
        return BadInputError(f"--network {options.network}: {complaint}.", "`docker network ls` lists the networks.")
    return BadInputError(
        f"The engine refuses to run the image: {complaint}.", "Check --env-file, --tmpfs and --network."
    )
