"""Running one service image as production would: strictly, until it is healthy, then to its end by SIGTERM."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dockertpl.engine import asking, container, findings, hints, listening, probe, verdict
from dockertpl.engine.client import Client, says
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.logs import Log, repeated
from dockertpl.errors import BadInputError, DockertplError, MachineError, UnhealthyError

MEMORY = "1g"
GRACE = 10  # seconds between SIGTERM and SIGKILL; Docker's own default
LABEL_TMPFS = "org.dockertpl.run.tmpfs"
LABEL_MEMORY = "org.dockertpl.run.memory"

_POLL = 0.01
_LOG_LINES = 30
_ERROR_LINES = 500
# How long a container that calls itself healthy may stay silent on its published port.
_SILENCE = 3.0
# How long an answer that waiting does not change is asked for again, and how often.
_SAME = 5.0
_SAME_POLL = 0.25
# How often the caller looks on: more would disturb what is measured.
_NOTED = 0.1
# How much later than its log the engine may end a container.
_SETTLES = 2.0
# How often an error has to be in the log before waiting is given up, and when that is first looked at.
_SAME_ERRORS = 5
_FIRST_LOOK = 3.0


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What the caller adds to the strict defaults.

    Attributes:
        environment: Variables for the container.
        env_files: Files with such variables, one NAME=VALUE a line.
        tmpfs: Paths to write to, each as `docker run --tmpfs` takes it.
        network: A network of the engine's, or None for the default.
        timeout: Seconds from the start until it counts as never healthy; None for what the image's own probe gives it.
        keep: Whether the container stays and goes on running.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    env_files: Sequence[Path] = ()
    tmpfs: Sequence[str] = ()
    network: str | None = None
    timeout: float | None = None
    keep: bool = False


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


@dataclass(frozen=True, kw_only=True)
class Running:
    """A container that was started: its name, its port on this machine, and when it started (monotonic clock)."""

    name: str
    port: int | None
    started: float
    state: container.State


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A container at one moment, for whoever looks on.

    Attributes:
        seconds: Since its start.
        answer: The last answer to the health question, or None.
        line: The last line of its log; empty if there is none.
        ready: Whether it gave a good answer.
    """

    seconds: float
    answer: probe.Answer | None
    line: str
    ready: bool


@dataclass(frozen=True)
class Observer:
    """What a caller does while a container runs.

    Attributes:
        questions: What to ask for, given the port, once it is healthy.
        on_watched: Called often while it is waited for.
        on_asked: Called with each answer.
        on_phase: Called where it is asked, and where it is stopped, with the word for that.
    """

    questions: Callable[[int], Sequence[asking.Question]] = lambda port: ()
    on_watched: Callable[[Watched], None] = lambda watched: None
    on_asked: Callable[[asking.Asked], None] = lambda asked: None
    on_phase: Callable[[str], None] = lambda phase: None


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
            seen = _wait(client, running, image, options, log, observer, for_health=image.has_healthcheck)
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
                _check_log(client, running, log)
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
        seen = _wait(client, running, image, options, log, Observer(), for_health=False)
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
        seen = _wait(client, running, image, options, log, observer, for_health=image.has_healthcheck)
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


def check_options(options: RunOptions) -> None:
    """Refuse what can be seen to be wrong without an image, so that no build is waited for.

    Raises:
        BadInputError: A file is not there, or a path is none.
    """
    for file in options.env_files:
        if not file.is_file():
            raise BadInputError(f"--env-file {file}: there is no such file.", "Each of its lines is NAME=VALUE.")
    for spec in options.tmpfs:
        path = spec.partition(":")[0]
        if not path.startswith("/") or path == "/":
            raise BadInputError(f"--tmpfs {spec!r}: that is no absolute path.", "Write it like --tmpfs /app/cache.")


def strict_options(image: ImageFacts, options: RunOptions) -> list[str]:
    """Return the options of `docker create` for a strict run.

    Raises:
        BadInputError: A label or an option of the caller's cannot be used.
    """
    check_options(options)
    words = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pids-limit=512"]
    words.append(f"--memory={memory(image)}")
    words += [f"--publish=127.0.0.1::{image.port}"] if image.port else []
    owner = _owner(image.user)
    mounts = {path: f"{path}:mode=1777{owner}" for path in _labelled_tmpfs(image)}
    mounts["/tmp"] = "/tmp:mode=1777"  # noqa: S108  (in the container)
    for spec in options.tmpfs:
        path, colon, _ = spec.partition(":")
        mounts[path] = spec if colon else f"{path}:mode=1777{owner}"
    words += [f"--tmpfs={mount}" for mount in mounts.values()]
    words += [f"--env={name}={value}" for name, value in options.environment.items()]
    words += [f"--env-file={file}" for file in options.env_files]
    words += [f"--network={options.network}"] if options.network else []
    return words


def patience(image: ImageFacts, options: RunOptions) -> float:
    """Return the seconds that a container has to get healthy."""
    return image.patience if options.timeout is None else options.timeout


def memory(image: ImageFacts) -> str:
    """Return the memory limit: 1g, or what the label `org.dockertpl.run.memory` says."""
    limit = image.labels.get(LABEL_MEMORY, MEMORY).lower()
    if not re.fullmatch(r"[1-9]\d*[kmg]b?", limit):
        raise BadInputError(f"The image's label {LABEL_MEMORY} is {limit!r}, no amount of memory.", "Write it like 2g.")
    return limit


def _owner(user: str) -> str:
    """Return the mount options that make a tmpfs the user's.

    The engine gives a mount the mode of the folder that it covers, whatever mode is asked for (moby/moby#39466), but it
    heeds an owner. A user with a name is left out: its number is in the image.
    """
    match = re.fullmatch(r"(\d+)(?::(\d+))?", user)
    return f",uid={match[1]}" + (f",gid={match[2]}" if match[2] else "") if match else ""


def _labelled_tmpfs(image: ImageFacts) -> list[str]:
    paths = re.split(r"[,\s]+", image.labels.get(LABEL_TMPFS, "").strip())
    for path in filter(None, paths):
        if not re.fullmatch(r"/[A-Za-z0-9_][A-Za-z0-9._/-]*", path) or ".." in path.split("/"):
            raise BadInputError(
                f"The image's label {LABEL_TMPFS} has {path!r}, no absolute path.", "Write it like /app/cache."
            )
    return [path for path in paths if path]


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


def _wait(
    client: Client,
    running: Running,
    image: ImageFacts,
    options: RunOptions,
    log: Log,
    observer: Observer,
    *,
    for_health: bool,
) -> verdict.Seen:
    """Watch a container until it is ready (and healthy, if asked for), has ended, or has had its time.

    While it starts, nothing but the cheap question goes to it: each docker command would take a share of the machine.
    """
    wanted = probe.rule(image.labels)
    deadline = running.started + patience(image, options)
    look, look_at_log = running.started + 1.0, running.started + _FIRST_LOOK
    silent_until: float | None = None
    missed_since: float | None = None
    noted = 0.0
    ready: float | None = None
    answer: probe.Answer | None = None
    same = _Same()
    state = running.state

    def seen(*, same_for: float | None = None, same_error: str = "") -> verdict.Seen:
        return verdict.Seen(
            state=state,
            ready=ready,
            port=running.port,
            answer=answer,
            wanted=wanted,
            repeated=same_for,
            error=same_error,
        )

    while True:
        tick = time.monotonic()
        if ready is None and running.port is not None:
            answer = probe.ask(running.port, wanted.path)
            if probe.good(wanted, answer):
                ready, look = answer.at - running.started, 0.0
            elif (same_for := same.take(answer)) > _SAME:
                error = repeated(log.last(_ERROR_LINES), _SAME_ERRORS)
                if probe.is_final(answer) or error:
                    state = container.state(client, running.name)
                    if state.health != "healthy":
                        return seen(same_for=same_for, same_error=error)
                same = _Same()
        # Where nothing listens the image's own probe is the question; the engine asks it a second late.
        elif ready is None and image.probe and container.succeeds(client, running.name, image.probe):
            ready, look = time.monotonic() - running.started, 0.0
        if ready is not None and not for_health:
            break
        now = time.monotonic()
        if now >= noted:
            noted = now + _NOTED
            observer.on_watched(_watched(running, answer, log, ready))
        if ready is None and now >= look_at_log:
            look_at_log = now + 1.0
            if error := _incurable(log, image.workdir):
                state = container.state(client, running.name)
                return seen(same_error=error)
            # A server that has said that it is ready, on another port, does not come to this one.
            place = listening.find(log.last(_ERROR_LINES))
            missed_since = (missed_since or now) if place and place.remedy and place.port != image.port else None
            if running.port is not None and missed_since is not None and now - missed_since > _SAME:
                state = container.state(client, running.name)
                return seen(same_for=now - missed_since)
        over = log.ended() or now > deadline
        if over or now >= look:
            state = container.state(client, running.name)
            look = now + (0.2 if ready is not None or running.port is None else 1.0)
            if over or not state.running or state.health == "unhealthy":
                _check_log(client, running, log)
                break
            if not for_health and running.port is None and not image.probe:
                break
            if state.health == "healthy":
                silent_until = silent_until or now + _SILENCE
                if ready is not None or running.port is None or now > silent_until:
                    break
        pause = _POLL if ready is None else 5 * _POLL
        time.sleep(max(0.0, tick + (_SAME_POLL if same.is_steady else pause) - time.monotonic()))
    return seen()


def _check_log(client: Client, running: Running, log: Log) -> None:
    """Refuse to go on where the log of a container that runs has ended: the engine is at fault.

    The log may end a moment before the engine knows that the container has.
    """
    until = time.monotonic() + _SETTLES
    while log.ended() and container.state(client, running.name).running:
        if time.monotonic() > until:
            raise MachineError("The engine ended the log of a container that still runs.", "Restart the engine.")
        time.sleep(_SAME_POLL)


class _Same:
    """How long the same answer has come, of those that are worth giving up for."""

    def __init__(self) -> None:
        self._status: int | None = None
        self._since = 0.0

    @property
    def is_steady(self) -> bool:
        """Whether the last answer was one of those."""
        return self._status is not None

    def take(self, answer: probe.Answer) -> float:
        """Take in an answer, and return for how many seconds it has been the same."""
        # 502 to 504 say that something is on its way; a 500 says so only where its error changes.
        if not (probe.is_final(answer) or answer.status == 500):
            self._status = None
            return 0.0
        if answer.status != self._status:
            self._status, self._since = answer.status, answer.at
        return answer.at - self._since


def _incurable(log: Log, workdir: str) -> str:
    """Return an error that comes again and again and that no waiting cures; empty if there is none."""
    error = repeated(log.last(_ERROR_LINES), _SAME_ERRORS)
    hint = hints.find([error], "run", workdir=workdir) if error else None
    return error if hint and hint.rule else ""


def _watched(running: Running, answer: probe.Answer | None, log: Log, ready: float | None) -> Watched:
    lines = log.last(1)
    seconds = time.monotonic() - running.started
    return Watched(seconds=seconds, answer=answer, line=lines[0] if lines else "", ready=ready is not None)
