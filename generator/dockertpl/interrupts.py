"""Interrupts: end the processes that were started, and finish what must not be cut in half."""

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
    """Treat SIGTERM like Ctrl-C within the block: it raises KeyboardInterrupt, so everything is cleaned up."""
    with _handlers(_interrupt, (signal.SIGTERM,)):
        yield


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Delay an interrupt to the end of the block, then raise KeyboardInterrupt.

    For moments in which an interrupt would leave something behind, such as between asking the engine for a
    container and knowing that it exists.
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
    """End a process that leads a session, with everything that it started. Ask first, then kill."""
    with deferred():
        _signal_group(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        # Its children may have ignored the signal.
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def ended_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """Kill a process that leads a session if it runs longer than some seconds within the block."""
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
