"""GitHub's rate limits, and a sender of requests within them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from github import GithubException
from requests.exceptions import RequestException

from dockertpl.fleet.forges import network
from dockertpl.fleet.forges.github import errors
from dockertpl.fleet.forges.github.settings import Settings
from dockertpl.fleet.forges.rate_limits import Limit, Limits
from dockertpl.fleet.forges.retry import WAITS, Tries

#: GitHub's limits for one account. `create` counts requests that create content. A read of the REST API costs one
#: point, any other request five.
BUDGETS: Mapping[str, Sequence[Limit]] = {
    "create": (Limit(80, 60), Limit(500, 3600)),
    "rest": (Limit(900, 60),),
    "graphql": (Limit(2000, 60),),
}
CONCURRENT = 100

READ = {"rest": 1}
CHANGE = {"rest": 5}
CREATE = {"create": 1, "rest": 5}
QUERY = {"graphql": 1}
MUTATION = {"graphql": 5}

T = TypeVar("T")


class Sender:
    """Sends requests for all threads of a run."""

    def __init__(
        self,
        settings: Settings,
        *,
        share: int = 1,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start with full budgets.

        Args:
            settings: The GitHub server and account.
            share: The number of runs that share the account.
            clock: Returns the time in seconds since 1970.
            sleep: Waits some seconds. An exception ends the wait.
        """
        self.settings = settings
        self.clock = clock
        self.sleep = sleep
        self._tries = Tries(
            Limits(BUDGETS, concurrent=CONCURRENT, share=share, clock=clock, sleep=sleep),
            judge=errors.judge,
            errors=(GithubException, RequestException, RuntimeError),
            clock=clock,
            sleep=sleep,
        )

    def send(
        self,
        call: Callable[[], T],
        *,
        cost: Mapping[str, int],
        doing: str,
        wanted: str,
        repeatable: bool = True,
        waits: Sequence[float] = WAITS,
        renew: Callable[[], bool] = lambda: False,
    ) -> T:
        """Send a request and return its result.

        Args:
            call: Sends the request once through PyGithub.
            cost: Its cost by budget.
            doing: The action, for error messages.
            wanted: The permission that it needs, for error messages.
            repeatable: Whether the request is idempotent.
            waits: Seconds between retries of temporary errors.
            renew: Gets another token, and returns whether it did.

        Raises:
            MaybeDoneError: The request is not repeatable and may have been done.
            ForgeError: GitHub refuses, or cannot be reached.
        """
        return self._tries.send(
            call,
            cost=cost,
            explain=lambda error: errors.explain(error, settings=self.settings, doing=doing, wanted=wanted),
            too_long=lambda wait: network.too_long(self.settings.name, doing, wait),
            repeatable=repeatable,
            waits=waits,
            renew=renew,
        )
