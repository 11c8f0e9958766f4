"""A clock that moves only when a test sleeps."""

from __future__ import annotations

import threading

from dockertpl.fleet.forges.timing import Timing


class Clock:
    """A clock and a sleep that moves it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.waits.append(seconds)

    def timing(self, share: int = 1) -> Timing:
        """Return this clock for limits that some runs share."""
        return Timing(share=share, clock=self, sleep=self.sleep)
