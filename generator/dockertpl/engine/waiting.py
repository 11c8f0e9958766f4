"""Watching a container until it is ready and healthy, or until waiting cannot help."""

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
# How long a container that calls itself healthy may stay silent on its published port.
_SILENCE = 3.0
# How long an answer that waiting does not change is asked for again, and how often.
_SAME = 5.0
_SAME_POLL = 0.25
# How much later than its log the engine may end a container.
_SETTLES = 2.0
# How often the caller is notified. More often would disturb the measurement.
_NOTED = 0.1
# How often an error has to be in the log before waiting is given up, and when that is first looked at.
_SAME_ERRORS = 5
_FIRST_LOOK = 3.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """A container that was started: its name, its port on this machine, and when it started (monotonic clock)."""

    name: str
    port: int | None
    started: float
    state: container.State


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The state of a container at one moment, for the live line.

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
