"""Running one service image as production would: strictly, until it is healthy, then to its end by SIGTERM."""

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

GRACE = 10  # seconds between SIGTERM and SIGKILL; Docker's own default
_LOG_LINES = 30


@dataclass(kw_only=True)
class RunReport:
    """What is known of a run; what was not reached stays None.

    Attributes:
        healthy: The engine's word, and that it answers on its published port.
        uid: The numeric uid that its first process has.
        read_only: Whether its root was read-only.
        ready_seconds: Container start to first good answer, polled every 10 ms; of an image without a port, to the end
            of the first run of its probe that succeeds.
        healthy_seconds: Container start to the end of the first good probe, both by the engine's clock.
        stop_seconds: SIGTERM to the end of its first process.
        asked: What it was asked for once it was healthy, and what came back.
        findings: What is wrong with it though it is healthy.
        kept: The container that stays; empty if none does.
        port: Its port on this machine, or None.
        error: The first thing that is wrong, or None.
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
    """Run an image as production would, and report how that went. Its container is removed, unless it is to be kept.

    The image's own user, a read-only root, a tmpfs on /tmp and where its labels say, no capabilities, no new
    privileges, limits on memory and processes, an ephemeral loopback port.

    Args:
        client: The engine.
        image: From `inspect_image`.
        name: Becomes part of the container's name.
        options: What the caller adds.
        observer: What the caller does meanwhile.

    Raises:
        BadInputError: The engine refuses an option.
        NoEngineError: The engine went away.
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
                    raise MachineError("The engine did not give the container's log.", "Restart the engine.")
                report.error = report.error or verdict.user(report.uid)
                # What still hangs in a request may well not end.
                if not any(finding.fails for finding in report.findings):
                    report.error = report.error or verdict.stop(ended, report.stop_seconds, GRACE)
    except UnhealthyError as error:
        report.error = error
    return report


def _ask(report: RunReport, running: Running, image: ImageFacts, log: Log, observer: Observer) -> None:
    """Ask a healthy container for more than its health, and read its log."""
    if running.port is not None and (questions := observer.questions(running.port)):
        observer.on_phase("asking")
        report.asked = asking.ask(running.port, questions, on_asked=observer.on_asked)
    report.findings = findings.find(report.asked, log.lines(), image.workdir)


def ready_seconds(client: Client, image: ImageFacts, *, name: str, options: RunOptions) -> float:
    """Run an image strictly until its first good answer, remove it, and return the seconds from its start to that.

    Raises:
        UnhealthyError: It gave none.
        BadInputError, NoEngineError, KeyboardInterrupt: As `run_strictly`.
    """
    with started(client, image, name=name, options=options) as running, _followed(client, running) as log:
        seen = wait(client, running, image, options, log, Observer(), for_health=False)
        if seen.ready is None:
            error = verdict.health(seen, image, log.last(_LOG_LINES), patience(image, options), memory(image))
            raise error or UnhealthyError("It has no port that could answer.", "Give the image an EXPOSE.")
        return seen.ready


@contextlib.contextmanager
def healthy(
    client: Client, image: ImageFacts, *, name: str, options: RunOptions, observer: Observer
) -> Iterator[tuple[Running, Log]]:
    """Run an image strictly, and hand it over once it is healthy; at the end of the block SIGTERM ends it.

    Args:
        client: The engine.
        image: From `inspect_image`.
        name: Becomes part of the container's name.
        options: What the caller adds.
        observer: What the caller does while it starts.

    Raises:
        UnhealthyError: It does not get healthy. Without a HEALTHCHECK a good answer will do.
        BadInputError, NoEngineError, KeyboardInterrupt: As `run_strictly`.
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
    """Make and start a strict container, hand it over, and remove it at the end of the block.

    One that is to be kept stays, but not where the block was interrupted or the engine failed.
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
        # The engine knows when it started; that is worth something where it has the same clock.
        told = state.started - wall
        port = state.ports[0] if state.ports and container.is_local(client) else None
        moment = called + told if 0 <= told <= took else called
        yield Running(name=container_name, port=port, started=moment, state=state)
        stays = options.keep
    finally:
        if not stays:
            container.remove(client, container_name)


def _uid(client: Client, name: str, user: str) -> int | None:
    """Return the uid of the first process as the container sees it.

    What the engine's machine sees is the process itself, and counts, unless uids are shifted there.
    """
    configured = container.configured_uid(client, name, user)
    actual = container.running_uid(client, name)
    if actual is None or actual == configured:
        return configured
    return configured if container.shifts_uids(client) else actual


def _is_ours(complaint: str) -> bool:
    """Tell whether a container that did not start is the image's fault, not the options'."""
    return bool(re.search(r"exec|runc|shim|OCI|no such file|permission denied", complaint)) and not re.search(
        r"network|mount.*invalid|tmpfs", complaint
    )


def _refused(complaint: str, options: RunOptions) -> BadInputError:
    if options.network and "network" in complaint:
        return BadInputError(f"--network {options.network}: {complaint}.", "`docker network ls` shows what there is.")
    return BadInputError(
        f"The engine refuses to run it that way: {complaint}.", "Check --env-file, --tmpfs, --network."
    )
