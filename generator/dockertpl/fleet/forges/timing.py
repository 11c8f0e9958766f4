"""The time by which rate limits are kept, and with how many runs they are shared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Timing:
    """A clock, a way to wait, and a share of the account's limits.

    Attributes:
        share: The number of runs that share the account's limits. This run gets an equal part.
        clock: Returns the time in seconds since 1970.
        sleep: Waits some seconds. An exception ends the wait.
    """

    share: int = 1
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


#: The real time, in one run.
REAL_TIME: Final = Timing()
