"""Rate limits: budgets by minute and hour, and pauses that the server asks for.

All threads of a run share one `Limits`, since servers count by account. Only this process is counted. If other
processes use up the limit, the server's answers ask for a pause.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from dockertpl.fleet.forges.timing import REAL_TIME, Timing


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
        timing: Timing = REAL_TIME,
    ) -> None:
        """Start with nothing spent.

        Args:
            limits: The limits. All of them apply.
            timing: The clock, and how many runs share the account's limits.
        """
        rates = _rates(limits, timing.share)
        self._bucket = InMemoryBucket(rates)
        self._most = min(rate.limit for rate in rates)
        self._clock = timing.clock
        self._sleep = timing.sleep
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
        timing: Timing = REAL_TIME,
    ) -> None:
        """Start with nothing spent.

        Args:
            budgets: The limits of each budget.
            concurrent: The most requests at a time.
            timing: The clock, and how many runs share the account's limits.
        """
        self._budgets = {name: Budget(limits, timing=timing) for name, limits in budgets.items()}
        self._slots = threading.BoundedSemaphore(max(1, concurrent // timing.share))
        self._clock = timing.clock
        self._sleep = timing.sleep
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
