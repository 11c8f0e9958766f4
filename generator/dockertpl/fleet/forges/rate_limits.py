"""How often a forge may be asked: budgets by the minute and the hour, and a pause that the forge asked for.

Every thread of a run shares one `Limits`, since a forge counts by account. What was spent is known to this process
alone; what another one spends shows in the forge's answers, which is what the pause is for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from pyrate_limiter import InMemoryBucket, Rate, RateItem


class Limit(NamedTuple):
    """So many in any so many seconds.

    Attributes:
        most: How many.
        seconds: In how many seconds.
    """

    most: int
    seconds: int


class Budget:
    """What may be spent, by one or several limits at once. Any number of threads may share it."""

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
            limits: The limits, all of which hold.
            share: How many runs spend from the same limits; this one gets its part.
            clock: The time in seconds.
            sleep: Waits so many seconds.
        """
        rates = _rates(limits, share)
        self._bucket = InMemoryBucket(rates)
        self._most = min(rate.limit for rate in rates)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def take(self, amount: int = 1) -> None:
        """Wait until so much may be spent, and spend it.

        Args:
            amount: How much; never more than the smallest limit has.
        """
        while (seconds := self._try(min(amount, self._most))) > 0:
            # Not under the lock: whoever wants less may go first.
            self._sleep(seconds)

    def _try(self, amount: int) -> float:
        """Spend, or return after how many seconds to try again."""
        with self._lock:
            item = RateItem("", int(self._clock() * 1000), amount)
            self._bucket.leak(item.timestamp)
            if self._bucket.put(item):
                return 0
            wait = self._bucket.waiting(item)
            assert isinstance(wait, int)  # noqa: S101 - only a bucket elsewhere has to be awaited
            return max(wait, 1) / 1000


class Limits:
    """All that a forge limits for one account: budgets by name, requests at one time, and pauses."""

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
            concurrent: How many requests there may be at one time.
            share: How many runs share the account; this one gets its part.
            clock: The time in seconds since 1970, which is how forges tell the end of a pause.
            sleep: Waits so many seconds.
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
        """Wait for one's turn, and hold it.

        Args:
            cost: How much of which budget a request spends.
        """
        for name, amount in cost.items():
            self._budgets[name].take(amount)
        while (left := self._paused_until - self._clock()) > 0:
            self._sleep(left)
        with self._slots:
            yield

    def pause(self, until: float) -> None:
        """Let nothing begin before a time: a forge that refuses one request would refuse the others too.

        Args:
            until: Seconds since 1970.
        """
        with self._lock:
            self._paused_until = max(self._paused_until, until)


def _rates(limits: Sequence[Limit], share: int) -> list[Rate]:
    """Return this run's part of limits, without those that a longer one makes useless."""
    rates: list[Rate] = []
    for limit in sorted(limits, key=lambda limit: limit.seconds, reverse=True):
        count = max(1, limit.most // share)
        if not rates or count < rates[0].limit:
            rates.insert(0, Rate(count, limit.seconds * 1000))
    return rates
