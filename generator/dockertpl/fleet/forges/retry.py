"""Send requests within the rate limits, and retry them where this is safe.

The caller classifies the errors of its client library.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.rate_limits import Limits
from dockertpl.fleet.forges.timing import REAL_TIME, Timing

#: Seconds between retries of temporary errors.
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
# The longest wait of one request: an hourly limit and a margin.
_PATIENCE = 3900.0
# The first wait for a rate limit without a time.
_UNSAID = 60.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A class of errors.

    Attributes:
        kind: `limited`: rate limited, nothing was done. `passing`: temporary, may or may not be done. `login`: the
            token was refused. `final`: a retry does not help.
        wait: The seconds to wait, from the server's answer, or 0.
    """

    kind: Literal["limited", "passing", "login", "final"]
    wait: float = 0


class MaybeDoneError(ForgeError):
    """A write may or may not have been done. Check before a retry.

    Attributes:
        wait: The seconds to wait, from the server's answer, or 0.
    """

    wait: float = 0


class Tries:
    """Sends requests for every thread of a run."""

    def __init__(
        self,
        limits: Limits,
        *,
        judge: Callable[[Exception, float], Fault],
        errors: tuple[type[Exception], ...],
        timing: Timing = REAL_TIME,
    ) -> None:
        """Store the settings.

        Args:
            limits: The rate limits.
            judge: Classifies an error at a time, in seconds since 1970.
            errors: The exceptions of a request. Any other exception is a bug.
            timing: The clock, and how many runs share the account's limits.
        """
        self.clock = timing.clock
        self.sleep = timing.sleep
        self._limits = limits
        self._judge = judge
        self._errors = errors

    def send(
        self,
        call: Callable[[], T],
        *,
        cost: Mapping[str, int],
        explain: Callable[[Exception], ForgeError],
        too_long: Callable[[float], ForgeError],
        repeatable: bool = True,
        waits: Sequence[float] = WAITS,
        renew: Callable[[], bool] = lambda: False,
    ) -> T:
        """Send a request and return its result.

        Args:
            call: Sends the request once.
            cost: Its cost by budget.
            explain: Turns an error into a message for users.
            too_long: Returns the error for a rate limit of some seconds that is too long to wait for.
            repeatable: Whether the request is idempotent.
            waits: Seconds between retries of temporary errors.
            renew: Gets another token, and returns whether it did.

        Raises:
            MaybeDoneError: The request is not repeatable and may have been done.
            ForgeError: The server refuses, cannot be reached, or asks for a wait that is too long.
        """
        deadline = self.clock() + _PATIENCE
        pauses = (_UNSAID * 2**number for number in itertools.count())
        left = iter(waits)
        renewed = False
        while True:
            with self._limits.turn(cost):
                try:
                    return call()
                except self._errors as raised:
                    error: Exception = raised
            fault = self._judge(error, self.clock())
            if fault.kind == "limited":
                wait = fault.wait or next(pauses)
                if self.clock() + wait > deadline:
                    raise too_long(wait) from error
                self._limits.pause(self.clock() + wait)
                continue
            if fault.kind == "login" and not renewed and renew():
                renewed = True
                continue
            problem = explain(error)
            if fault.kind != "passing":
                raise problem from error
            if not repeatable:
                unknown = MaybeDoneError(problem.message, problem.remedy, **problem.data)
                unknown.wait = fault.wait
                raise unknown from error
            wait = max(next(left, _PATIENCE), fault.wait)
            if self.clock() + wait >= deadline:
                raise problem from error
            self.sleep(wait)
