"""Rate limits: budgets by minute and hour, and pauses that the server asks for.

All threads of a run share one `Limits`, since servers count by account. Only this process is counted. If other
processes use up the limit, the server's answers ask for a pause.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from pyrate_limiter import InMemoryBucket, Rate, RateItem


class Limit(NamedTuple):
    """A limit of requests in a time.

    Attributes:
        most: The most requests.
        seconds: The time in seconds.
    """

    most: int
    seconds: int


class Budget:
    """A budget with one or several limits, shared by any number of threads."""

    def __init__(
        self,
        limits: Sequence[Limit],
        *,
        share: int = 1,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start with nothing spent.

        Args:
            limits: The limits. All of them apply.
            share: The number of runs that share the limits. This run gets an equal part.
            clock: Returns the time in seconds.
            sleep: Waits some seconds.
        """
        rates = _rates(limits, share)
        self._bucket = InMemoryBucket(rates)
        self._most = min(rate.limit for rate in rates)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def take(self, amount: int = 1) -> None:
        """Wait until an amount may be spent, and spend it. An amount is capped at the smallest limit."""
        while (seconds := self._try(min(amount, self._most))) > 0:
            # Sleep without the lock: a smaller request may go first.
            self._sleep(seconds)

    def _try(self, amount: int) -> float:
        """Spend an amount, or return the seconds to wait."""
        with self._lock:
            item = RateItem("", int(self._clock() * 1000), amount)
            self._bucket.leak(item.timestamp)
            if self._bucket.put(item):
                return 0
            wait = self._bucket.waiting(item)
            assert isinstance(wait, int)  # noqa: S101 - only a remote bucket is asynchronous
            return max(wait, 1) / 1000


class Limits:
    """All limits of one account: budgets by name, concurrent requests, and pauses."""

    def __init__(
        self,
        budgets: Mapping[str, Sequence[Limit]],
        *,
        concurrent: int,
        share: int = 1,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start with nothing spent.

        Args:
            budgets: The limits of each budget.
            concurrent: The most requests at a time.
            share: The number of runs that share the account. This run gets an equal part.
            clock: Returns the time in seconds since 1970.
            sleep: Waits some seconds.
        """
        self._budgets = {
            name: Budget(limits, share=share, clock=clock, sleep=sleep) for name, limits in budgets.items()
        }
        self._slots = threading.BoundedSemaphore(max(1, concurrent // share))
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._paused_until = 0.0

    @contextmanager
    def turn(self, cost: Mapping[str, int]) -> Iterator[None]:
        """Wait until a request may begin, and hold a slot for it. `cost` is the amount by budget."""
        for name, amount in cost.items():
            self._budgets[name].take(amount)
        while (left := self._paused_until - self._clock()) > 0:
            self._sleep(left)
        with self._slots:
            yield

    def pause(self, until: float) -> None:
        """Start no request before a time, in seconds since 1970. The server would refuse it, too."""
        with self._lock:
            self._paused_until = max(self._paused_until, until)


def _rates(limits: Sequence[Limit], share: int) -> list[Rate]:
    """Return this run's part of the limits, without limits that a longer one makes redundant."""
    rates: list[Rate] = []
    for limit in sorted(limits, key=lambda limit: limit.seconds, reverse=True):
        count = max(1, limit.most // share)
        if not rates or count < rates[0].limit:
            rates.insert(0, Rate(count, limit.seconds * 1000))
    return rates
