"""One request to a forge at a time: in its turn, waited for as long as the forge says, tried again where that is safe.

What a client library raises is told apart by whoever knows that library.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.rate_limits import Limits

#: Seconds between the tries of what may pass.
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
# So long one request waits at most: a spent hour, and what comes after it.
_PATIENCE = 3900.0
# Where a forge that limits us says no time.
_UNSAID = 60.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What kind of fault it is.

    Attributes:
        kind: `limited`: nothing was done, ask later; `passing`: it may or may not have been done; `login`: the
            token was not taken; `final`: asking again changes nothing.
        wait: After how many seconds to ask again, as the forge says; 0 where it says nothing.
    """

    kind: Literal["limited", "passing", "login", "final"]
    wait: float = 0


class MaybeDoneError(ForgeError):
    """Something was to be written, and whether it was is not known: look before it is tried again.

    Attributes:
        wait: After how many seconds the forge wants to be asked again; 0 where it says nothing.
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
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin.

        Args:
            limits: What may be spent.
            judge: Tells what kind of fault an error is at a time, which is given in seconds since 1970.
            errors: What a request may raise; anything else is a fault of ours.
            clock: The time in seconds since 1970.
            sleep: Waits so many seconds; what it raises ends the wait.
        """
        self.clock = clock
        self.sleep = sleep
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
        """Return what a request returns.

        Args:
            call: Sends it once.
            cost: What it spends of the budgets.
            explain: Makes of an error what a person is told.
            too_long: Makes that of a pause of so many seconds, which is longer than a run should make.
            repeatable: Whether doing it twice is the same as doing it once.
            waits: Seconds between tries of what may pass.
            renew: Gets another token, and tells whether there is one.

        Raises:
            MaybeDoneError: It is not repeatable, and may have been done.
            ForgeError: The forge refuses, cannot be reached, or wants a longer pause than a run should make.
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
