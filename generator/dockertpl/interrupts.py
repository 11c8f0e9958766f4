"""Interrupts: what was started is ended, and what must not be cut in half is not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = 10.0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Within it SIGTERM is as good as Ctrl-C: it raises KeyboardInterrupt, so that everything is cleaned up."""
    with _handlers(_interrupt, (signal.SIGTERM,)):
        yield


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Within it an interrupt waits until the block is through, then raises KeyboardInterrupt.

    For the moments in which an interrupt would leave something behind: between asking the engine for a container
    and knowing that it exists, and while it is removed.
    """
    came: list[int] = []
    with _handlers(lambda number, _frame: came.append(number), _SIGNALS):
        yield
    if came:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _handlers(
    handler: Callable[[int, FrameType | None], object], signals: tuple[signal.Signals, ...]
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # Python delivers signals to the main thread only.
        yield
        return
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a child that leads a session of its own, with whatever it started: politely, then for good."""
    with deferred():
        _signal_group(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        # What it started may not have listened.
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def ended_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """Within it a child that leads a session of its own has that long; then it is killed, and what it writes ends.

    Args:
        process: The child.
        seconds: How long it has.
    """
    timer = threading.Timer(seconds, _signal_group, (process.pid, signal.SIGKILL))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
