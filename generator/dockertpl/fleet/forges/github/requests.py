"""GitHub's rate limits, and a sender of requests within them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from github import GithubException
from requests.exceptions import RequestException

from dockertpl.fleet.forges import network
from dockertpl.fleet.forges.github import errors
from dockertpl.fleet.forges.github.settings import Settings
from dockertpl.fleet.forges.rate_limits import Limit, Limits
from dockertpl.fleet.forges.retry import WAITS, Tries
from dockertpl.fleet.forges.timing import REAL_TIME, Timing

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
        timing: Timing = REAL_TIME,
    ) -> None:
        """Start with full budgets.

        Args:
            settings: The GitHub server and account.
            timing: The clock, and how many runs share the account's limits.
        """
        self.settings = settings
        self.clock = timing.clock
        self.sleep = timing.sleep
        self._tries = Tries(
            Limits(BUDGETS, concurrent=CONCURRENT, timing=timing),
            judge=errors.judge,
            errors=(GithubException, RequestException, RuntimeError),
            timing=timing,
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
