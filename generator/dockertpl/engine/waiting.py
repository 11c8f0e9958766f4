"""Wait until a container is ready and healthy, or until waiting does not help."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dockertpl.engine import asking, container, hints, listening, probe, verdict
from dockertpl.engine.client import Client
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.logs import Log, repeated
from dockertpl.engine.strict import RunOptions, patience
from dockertpl.errors import MachineError

_POLL = 0.01
_ERROR_LINES = 500
# How long a healthy container may give no answer on its published port.
_SILENCE = 3.0
# How long to retry the same bad answer, and the pause between tries.
_SAME = 5.0
_SAME_POLL = 0.25
# The log may end this much earlier than the container.
_SETTLES = 2.0
# The pause between calls of the observer. A shorter one would disturb the measurement.
_NOTED = 0.1
# Give up when the log has an error this many times. Check for the first time after `_FIRST_LOOK` seconds.
_SAME_ERRORS = 5
_FIRST_LOOK = 3.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """A started container: its name, its port on this machine, its start time (monotonic clock) and its state."""

    name: str
    port: int | None
    started: float
    state: container.State


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A container's progress, for the live line.

    Attributes:
        seconds: The seconds since its start.
        answer: The last answer to the health check, or None.
        line: The last line of its log, or an empty string.
        ready: Whether it gave a good answer.
    """

    seconds: float
    answer: probe.Answer | None
    line: str
    ready: bool


@dataclass(frozen=True)
class Observer:
    """The caller's callbacks while a container runs.

    Attributes:
        questions: Returns the requests for a healthy container's port.
        on_watched: Called often during the wait.
        on_asked: Called with each answer.
        on_phase: Called with `asking` or `stopping` when that phase begins.
    """

    questions: Callable[[int], Sequence[asking.Question]] = lambda port: ()
    on_watched: Callable[[Watched], None] = lambda watched: None
    on_asked: Callable[[asking.Asked], None] = lambda asked: None
    on_phase: Callable[[str], None] = lambda phase: None


def wait(
    client: Client,
    running: Running,
    image: ImageFacts,
    options: RunOptions,
    log: Log,
    observer: Observer,
    *,
    for_health: bool,
) -> verdict.Seen:
    """Wait until a container is ready (and healthy if `for_health`), has ended, or the time is over.

    During its start, only send HTTP requests: docker commands would slow the start down.
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
        # Without a port, run the image's health check here: the engine runs it a second late.
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
            # A server that is ready on another port will not listen on this one.
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
                check_log(client, running, log)
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


def check_log(client: Client, running: Running, log: Log) -> None:
    """Raise MachineError if the log has ended but the container still runs.

    The log may end a moment before the container's state changes.
    """
    until = time.monotonic() + _SETTLES
    while log.ended() and container.state(client, running.name).running:
        if time.monotonic() > until:
            raise MachineError("The engine ended the log of a container that still runs.", "Restart the engine.")
        time.sleep(_SAME_POLL)


class _Same:
    """Measures how long the same bad answer has come, to give up on it."""

    def __init__(self) -> None:
        self._status: int | None = None
        self._since = 0.0

    @property
    def is_steady(self) -> bool:
        """Whether the last answer was such an answer."""
        return self._status is not None

    def take(self, answer: probe.Answer) -> float:
        """Add an answer, and return the seconds that it has been the same."""
        # Statuses 502 to 504 are temporary. A 500 may be temporary if its error changes.
        if not (probe.is_final(answer) or answer.status == 500):
            self._status = None
            return 0.0
        if answer.status != self._status:
            self._status, self._since = answer.status, answer.at
        return answer.at - self._since


def _incurable(log: Log, workdir: str) -> str:
    """Return a repeated error that waiting does not fix, or an empty string."""
    error = repeated(log.last(_ERROR_LINES), _SAME_ERRORS)
    hint = hints.find([error], "run", workdir=workdir) if error else None
    return error if hint and hint.rule else ""


def _watched(running: Running, answer: probe.Answer | None, log: Log, ready: float | None) -> Watched:
    lines = log.last(1)
    seconds = time.monotonic() - running.started
    return Watched(seconds=seconds, answer=answer, line=lines[0] if lines else "", ready=ready is not None)
