"""GitLab's REST API for one account, by project."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import gitlab
import requests
from gitlab.exceptions import GitlabError

from dockertpl import __version__
from dockertpl.errors import ForgeError
from dockertpl.fleet.forges import network
from dockertpl.fleet.forges.gitlab import errors
from dockertpl.fleet.forges.gitlab.errors import Refused
from dockertpl.fleet.forges.gitlab.settings import Settings
from dockertpl.fleet.forges.rate_limits import Limit, Limits
from dockertpl.fleet.forges.retry import WAITS, MaybeDoneError, Tries
from dockertpl.fleet.forges.timing import REAL_TIME, Timing

#: Below the limits of gitlab.com: 2,000 requests and 60 comments per minute and account. Other servers may have lower
#: limits. They answer with 429.
BUDGETS: Mapping[str, Sequence[Limit]] = {"rest": (Limit(1500, 60),), "create": (Limit(60, 60),)}
CONCURRENT = 32
_READ = {"rest": 1}
_CREATE = {"rest": 1, "create": 1}

PAGE = 100
_MOST_PAGES = 1000
_TIMEOUT = 30.0


class _Session(requests.Session):
    """A session that keeps the headers of its last answer. python-gitlab's errors lack them."""

    last: Mapping[str, str] = {}

    def __init__(self) -> None:
        super().__init__()
        # A redirect could send a job's token to any host.
        self.max_redirects = 0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.last = {}
        response = super().send(request, **options)
        self.last = {name.lower(): value for name, value in response.headers.items()}
        return response


class Client:
    """Sends requests for all threads of a run."""

    def __init__(
        self,
        settings: Settings,
        *,
        timing: Timing = REAL_TIME,
    ) -> None:
        """Start with full budgets.

        Args:
            settings: The GitLab server and account.
            timing: The clock, and how many runs share the account's limits.
        """
        self.settings = settings
        limits = Limits(BUDGETS, concurrent=CONCURRENT, timing=timing)
        self._tries = Tries(
            limits,
            judge=errors.judge,
            errors=errors.ERRORS,
            timing=timing,
        )
        self._here = threading.local()
        self._lock = threading.Lock()
        self._me: int | None = None

    def get(self, path: str, *, doing: str, **parameters: Any) -> Any:
        """Return the JSON at a path.

        Args:
            path: The path, such as `/user`.
            doing: The action, for error messages.
            parameters: The query parameters.

        Raises:
            ForgeError: GitLab refuses or cannot be reached.
        """
        return self._json(self._send("GET", path, doing=doing, parameters=parameters), doing)

    def text(self, path: str, *, doing: str, **parameters: Any) -> bytes:
        """Return the bytes at a path.

        Args:
            path: The path.
            doing: The action, for error messages.
            parameters: The query parameters.

        Raises:
            ForgeError: GitLab refuses or cannot be reached.
        """
        return self._send("GET", path, doing=doing, parameters=parameters).content

    def pages(self, path: str, *, doing: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of a list.

        Args:
            path: The path.
            doing: The action, for error messages.
            parameters: The query parameters.

        Raises:
            ForgeError: GitLab refuses, cannot be reached, or does not answer with a list.
        """
        for page in range(1, _MOST_PAGES + 1):
            items = self.get(path, doing=doing, per_page=PAGE, page=page, **parameters)
            if not isinstance(items, list):
                raise self._strange(doing)
            yield from items
            if len(items) < PAGE:
                return

    def change(self, path: str, content: Mapping[str, Any], *, doing: str) -> dict[str, Any]:
        """Update an item with a PUT request, which is idempotent.

        Args:
            path: The item's path.
            content: The fields to change.
            doing: The action, for error messages.

        Raises:
            ForgeError: GitLab refuses or cannot be reached.
        """
        return self._object(self._send("PUT", path, doing=doing, content=content), doing)

    def make(
        self, path: str, content: Mapping[str, Any], *, find: Callable[[], dict[str, Any] | None], doing: str
    ) -> dict[str, Any]:
        """Create an item once. Search for it before each try, since an answer may get lost.

        Args:
            path: The path of the list.
            content: The item's fields.
            find: Searches for the item.
            doing: The action, for error messages.

        Returns:
            The item, found or created.

        Raises:
            ForgeError: GitLab refuses or cannot be reached.
        """
        for pause in (*WAITS, None):
            if (found := find()) is not None:
                return found
            try:
                return self._object(
                    self._send("POST", path, doing=doing, content=content, cost=_CREATE, repeatable=False), doing
                )
            except (MaybeDoneError, network.ExistsError) as error:
                if pause is None:
                    raise
                # A new item may appear in the list with a delay.
                self._tries.sleep(max(pause, error.wait if isinstance(error, MaybeDoneError) else 0))
        raise AssertionError("the last try returns or raises")

    def me(self) -> int:
        """Return the ID of the token's account.

        Raises:
            ForgeError: GitLab refuses or cannot be reached.
        """
        with self._lock:
            if self._me is None:
                self._me = int(self.get("/user", doing="read the token's account")["id"])
            return self._me

    def _send(
        self,
        verb: str,
        path: str,
        *,
        doing: str,
        parameters: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
        cost: Mapping[str, int] = _READ,
        repeatable: bool = True,
    ) -> requests.Response:
        def once() -> requests.Response:
            connected, session = self._connected()
            try:
                return connected.http_request(
                    verb,
                    path,
                    query_data=dict(parameters or {}),
                    post_data=dict(content) if content is not None else None,
                    obey_rate_limit=False,
                    retry_transient_errors=False,
                    max_retries=0,
                )
            except GitlabError as error:
                body = error.response_body or b""
                raise Refused(error.response_code or 0, session.last, body) from error

        return self._tries.send(
            once,
            cost=cost,
            explain=lambda error: errors.explain(error, settings=self.settings, doing=doing),
            too_long=lambda wait: network.too_long(self.settings.name, doing, wait),
            repeatable=repeatable,
        )

    def _connected(self) -> tuple[gitlab.Gitlab, _Session]:
        """Return this thread's connection and session. Threads cannot share a session: it keeps its last answer."""
        if not hasattr(self._here, "connected"):
            token = self.settings.token
            session = _Session()
            self._here.connected = (
                gitlab.Gitlab(
                    self.settings.url,
                    oauth_token=None if self.settings.is_job else token,
                    job_token=token if self.settings.is_job else None,
                    ssl_verify=self.settings.certificates or True,
                    timeout=_TIMEOUT,
                    user_agent=f"dockertpl/{__version__}",
                    keep_base_url=True,
                    session=session,
                ),
                session,
            )
        found: tuple[gitlab.Gitlab, _Session] = self._here.connected
        return found

    def _json(self, response: requests.Response, doing: str) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self._strange(doing) from error

    def _object(self, response: requests.Response, doing: str) -> dict[str, Any]:
        answer = self._json(response, doing)
        if isinstance(answer, dict) and "id" in answer:
            return answer
        raise self._strange(doing)

    def _strange(self, doing: str) -> ForgeError:
        return ForgeError(
            f"Cannot {doing}: {self.settings.name} sent an unexpected answer.",
            "Check that GITLAB_URL is the address of a GitLab server.",
        )


def project(slug: str) -> str:
    """Return the API path of a project, from its name with groups."""
    return f"/projects/{quote(slug, safe='')}"
