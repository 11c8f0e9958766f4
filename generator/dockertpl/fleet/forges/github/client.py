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
    """An answer of GraphQL.

    Attributes:
        data: The data. Parts that failed are None.
        errors: GitHub's errors for these parts.
    """

    data: dict[str, Any]
    errors: list[dict[str, Any]]


class Client:
    """Sends requests for all threads of a run."""

    def __init__(self, sender: Sender, tokens: Tokens) -> None:
        self.sender = sender
        self.tokens = tokens
        self._lock = threading.Lock()
        self._requesters: dict[str, Requester] = {}
        self._logins: dict[str, str] = {}

    def get(self, slug: str, path: str, *, doing: str, wanted: str, **parameters: Any) -> Any:
        """Return the JSON at a path below a repository.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: The path, such as `/pulls`.
            doing: The action, for error messages.
            wanted: The permission that it needs, for error messages.
            parameters: The query parameters.

        Raises:
            ForgeError: GitHub refuses or cannot be reached.
        """
        return self._rest("GET", slug, path, parameters=parameters, cost=requests.READ, doing=doing, wanted=wanted)

    def pages(self, slug: str, path: str, *, doing: str, wanted: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of a list.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: The path, such as `/issues`.
            doing: The action, for error messages.
            wanted: The permission that it needs, for error messages.
            parameters: The query parameters.

        Raises:
            ForgeError: GitHub refuses, cannot be reached, or does not answer with a list.
        """
        for page in range(1, _MOST_PAGES + 1):
            items = self.get(slug, path, doing=doing, wanted=wanted, per_page=PAGE, page=page, **parameters)
            if not isinstance(items, list):
                raise _strange(self.sender, doing)
            yield from items
            if len(items) < PAGE:
                return

    def change(self, slug: str, path: str, content: Mapping[str, Any], *, doing: str, wanted: str) -> dict[str, Any]:
        """Update an item with a PATCH request, which is idempotent here.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: The item's path, such as `/pulls/1`.
            content: The fields to change.
            doing: The action, for error messages.
            wanted: The permission that it needs, for error messages.

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
        """Create an item once. Search for it before each try, since an answer may get lost.

        Args:
            slug: The repository, as `OWNER/NAME`.
            path: The path of the list, such as `/pulls`.
            content: The item's fields.
            find: Searches for the item.
            doing: The action, for error messages.
            wanted: The permission that it needs, for error messages.

        Returns:
            The item, found or created.

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
                # A new item or branch may appear in the API with a delay.
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
        """Send a GraphQL query. A partial answer is returned, too. For a mutation it is an error.

        Args:
            owner: The owner of the repositories. Empty for any owner.
            text: The query, or an idempotent mutation.
            variables: Its variables.
            doing: The action, for error messages.
            wanted: The permission that it needs, for error messages.
            waits: Seconds between retries.
            mutation: Whether it is a mutation.

        Raises:
            BusyError: All tries failed, perhaps because the query is too large.
            ForgeError: GitHub refuses or cannot be reached.
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
        """Return the account's login for an owner's repositories.

        Raises:
            ForgeError: GitHub refuses or cannot be reached.
        """
        if owner not in self._logins:
            answered = self.query(
                owner, "query { viewer { login } }", {}, doing="read the token's account", wanted="a user or App"
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
        # Get a new token here, before the request takes a slot.
        token = self.tokens.token(owner)

        def renew() -> bool:
            # Get the new token at once, for the same reason.
            return self.tokens.renew(owner, token) and bool(self.tokens.token(owner))

        with self._lock:
            if owner not in self._requesters:
                self._requesters[owner] = for_owner(self.sender.settings, self.tokens, owner)
            return self._requesters[owner], renew

    def _object(self, answer: Any, doing: str) -> dict[str, Any]:
        # A renamed repository answers a write with its new address, and does not write.
        if isinstance(answer, dict) and ("number" in answer or "id" in answer):
            return answer
        raise _strange(self.sender, doing)


def _strange(sender: Sender, doing: str) -> ForgeError:
    return ForgeError(
        f"Cannot {doing}: {sender.settings.name} sent an unexpected answer.",
        "If the repository was renamed or moved, run `dockertpl fleet discover` again. Otherwise check GITHUB_API_URL.",
    )


def _answered(headers: dict[str, Any], answer: Any, *, whole: bool) -> Answered:
    """Return GraphQL's answer, or raise the error of REST. GraphQL answers errors with status 200, too."""
    if not isinstance(answer, dict):
        raise GithubException(502, {"message": "the answer is not an object"}, headers)
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
        # An error without type and data means that the query took too long.
        status = 422 if kind or any("extensions" in error or "locations" in error for error in errors) else 502
    raise GithubException(status, {"message": message}, headers)
