"""GitHub's two APIs for one account: REST by repository, GraphQL by owner."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from github import GithubException
from github.Requester import Requester

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges import network
from dockertpl.fleet.forges.github import requests
from dockertpl.fleet.forges.github.errors import NotYetError
from dockertpl.fleet.forges.github.requests import Sender
from dockertpl.fleet.forges.github.tokens import Tokens, for_owner
from dockertpl.fleet.forges.retry import WAITS, MaybeDoneError

PAGE = 100
_MOST_PAGES = 100

T = TypeVar("T")


class Answered(NamedTuple):
    """What GraphQL answered.

    Attributes:
        data: What was asked for; parts that could not be had are None.
        errors: What could not be had and why, as GitHub says it.
    """

    data: dict[str, Any]
    errors: list[dict[str, Any]]


class Client:
    """Asks for every thread of a run."""

    def __init__(self, sender: Sender, tokens: Tokens) -> None:
        self.sender = sender
        self.tokens = tokens
        self._lock = threading.Lock()
        self._requesters: dict[str, Requester] = {}
        self._logins: dict[str, str] = {}

    def get(self, slug: str, path: str, *, doing: str, wanted: str, **parameters: Any) -> Any:
        """Return what a path below a repository has.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: The path, such as `/pulls`.
            doing: What it is for, in the words of an error.
            wanted: The permission that it takes.
            parameters: What stands behind the question mark.

        Raises:
            ForgeError: GitHub refuses or cannot be reached.
        """
        return self._rest("GET", slug, path, parameters=parameters, cost=requests.READ, doing=doing, wanted=wanted)

    def pages(self, slug: str, path: str, *, doing: str, wanted: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, as many pages as it takes.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: The path, such as `/issues`.
            doing: What it is for, in the words of an error.
            wanted: The permission that it takes.
            parameters: What stands behind the question mark.

        Raises:
            ForgeError: GitHub refuses or cannot be reached, or answers with no list.
        """
        for page in range(1, _MOST_PAGES + 1):
            items = self.get(slug, path, doing=doing, wanted=wanted, per_page=PAGE, page=page, **parameters)
            if not isinstance(items, list):
                raise _strange(self.sender, doing)
            yield from items
            if len(items) < PAGE:
                return

    def change(self, slug: str, path: str, content: Mapping[str, Any], *, doing: str, wanted: str) -> dict[str, Any]:
        """Change what is there; doing it twice is the same as once.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: What is changed, such as `/pulls/1`.
            content: The fields that change.
            doing: What it is for, in the words of an error.
            wanted: The permission that it takes.

        Raises:
            ForgeError: GitHub refuses or cannot be reached.
        """
        return self._object(
            self._rest("PATCH", slug, path, content=content, cost=requests.CHANGE, doing=doing, wanted=wanted), doing
        )

    def make(
        self,
        slug: str,
        path: str,
        content: Mapping[str, Any],
        *,
        find: Callable[[], dict[str, Any] | None],
        doing: str,
        wanted: str,
    ) -> dict[str, Any]:
        """Make what is not there yet, once: before each try it is looked for, as an answer may have got lost.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: The list that gets one more, such as `/pulls`.
            content: Its fields.
            find: Looks for it.
            doing: What it is for, in the words of an error.
            wanted: The permission that it takes.

        Returns:
            What was found, or else what was made.

        Raises:
            ForgeError: GitHub refuses or cannot be reached.
        """
        for pause in (*WAITS, None):
            if (found := find()) is not None:
                return found
            try:
                made = self._rest(
                    "POST",
                    slug,
                    path,
                    content=content,
                    cost=requests.CREATE,
                    doing=doing,
                    wanted=wanted,
                    repeatable=False,
                )
                return self._object(made, doing)
            except (MaybeDoneError, network.ExistsError, NotYetError) as error:
                if pause is None:
                    raise
                # The API lags behind what was made and pushed; asked at once, it may not have it.
                self.sender.sleep(max(pause, error.wait if isinstance(error, MaybeDoneError) else 0))
        raise AssertionError("the last try returns or raises")

    def query(
        self,
        owner: str,
        text: str,
        variables: Mapping[str, Any],
        *,
        doing: str,
        wanted: str,
        waits: Sequence[float] = WAITS,
        mutation: bool = False,
    ) -> Answered:
        """Ask by GraphQL. What GitHub could give of it is returned, even where it could not give all.

        Of a mutation it is all or an error: it changes one thing, and has or has not.

        Args:
            owner: Whose repositories it is about; empty for those of anybody.
            text: The query, or a mutation that may be repeated.
            variables: Its variables.
            doing: What it is for, in the words of an error.
            wanted: The permission that it takes.
            waits: Seconds between the tries.
            mutation: Whether it changes something.

        Raises:
            BusyError: GitHub had trouble each time, perhaps because too much was asked for.
            ForgeError: It refuses or cannot be reached.
        """
        requester, renew = self._connected(owner)

        def ask() -> Answered:
            body = {"query": text, "variables": dict(variables)}
            headers, answer = requester.requestJsonAndCheck("POST", requester.graphql_url, input=body)
            return _answered(headers, answer, whole=mutation)

        return self.sender.send(
            ask,
            cost=requests.MUTATION if mutation else requests.QUERY,
            doing=doing,
            wanted=wanted,
            waits=waits,
            renew=renew,
        )

    def login(self, owner: str) -> str:
        """Return the name that this account writes under.

        Args:
            owner: Whose repositories it writes to.

        Raises:
            ForgeError: GitHub refuses or cannot be reached.
        """
        if owner not in self._logins:
            answered = self.query(
                owner, "query { viewer { login } }", {}, doing="say who we are", wanted="a user or App"
            )
            self._logins[owner] = str((answered.data.get("viewer") or {}).get("login") or "")
        return self._logins[owner]

    def _rest(
        self,
        verb: str,
        slug: str,
        path: str,
        *,
        cost: Mapping[str, int],
        doing: str,
        wanted: str,
        parameters: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
        repeatable: bool = True,
    ) -> Any:
        owner, _, name = slug.partition("/")
        url = f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}{path}"
        requester, renew = self._connected(owner)
        return self.sender.send(
            lambda: requester.requestJsonAndCheck(verb, url, parameters=dict(parameters or {}), input=content)[1],
            cost=cost,
            doing=doing,
            wanted=wanted,
            repeatable=repeatable,
            renew=renew,
        )

    def _connected(self, owner: str) -> tuple[Requester, Callable[[], bool]]:
        # A token that has to be fetched is fetched here, outside of the request's own turn.
        token = self.tokens.token(owner)

        def renew() -> bool:
            # Fetched at once, for the same reason.
            return self.tokens.renew(owner, token) and bool(self.tokens.token(owner))

        with self._lock:
            if owner not in self._requesters:
                self._requesters[owner] = for_owner(self.sender.settings, self.tokens, owner)
            return self._requesters[owner], renew

    def _object(self, answer: Any, doing: str) -> dict[str, Any]:
        # A repository that was renamed answers a write with where it is now, and does not write.
        if isinstance(answer, dict) and ("number" in answer or "id" in answer):
            return answer
        raise _strange(self.sender, doing)


def _strange(sender: Sender, doing: str) -> ForgeError:
    return ForgeError(
        f"{sender.settings.name} was asked to {doing}, and its answer is of another sort.",
        "Was the repository renamed or moved? Run `dockertpl fleet discover` again. Is GITHUB_API_URL right?",
    )


def _answered(headers: dict[str, Any], answer: Any, *, whole: bool) -> Answered:
    """Return what GraphQL answered, or raise what REST would have raised: GraphQL says all with status 200."""
    if not isinstance(answer, dict):
        raise GithubException(502, {"message": "an answer that is no object"}, headers)
    errors = [error for error in answer.get("errors") or [] if isinstance(error, dict)]
    message = str(errors[0].get("message")) if errors else "an answer without data"
    if any(
        error.get("type") == "RATE_LIMITED" or Requester.isRateLimitError(str(error.get("message"))) for error in errors
    ):
        raise GithubException(429, {"message": message}, headers)
    data = answer.get("data")
    if isinstance(data, dict) and not (whole and errors):
        return Answered(data, errors)
    kind = str(errors[0].get("type") or "") if errors else ""
    status = {"FORBIDDEN": 403, "INSUFFICIENT_SCOPES": 403, "NOT_FOUND": 404}.get(kind)
    if status is None:
        # What GitHub says of a query that took too long has no type, and no data.
        status = 422 if kind or any("extensions" in error or "locations" in error for error in errors) else 502
    raise GithubException(status, {"message": message}, headers)
