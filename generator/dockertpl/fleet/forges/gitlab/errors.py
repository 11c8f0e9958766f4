"""Classify GitLab's errors, and turn them into messages.

This replaces python-gitlab's retries. They ignore pauses of other threads, repeat a POST that may have taken effect,
and hide the headers of an answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gitlab.exceptions import GitlabError
from requests.exceptions import RequestException, TooManyRedirects

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges import network
from dockertpl.fleet.forges.gitlab.settings import WANTED, Settings
from dockertpl.fleet.forges.retry import Fault


class Refused(Exception):  # noqa: N818 - an answer, not yet an error
    """An answer with an error status.

    Attributes:
        status: The HTTP status, or 0 if it is unknown.
        headers: The headers; names in lower case.
        body: The body.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


#: The exceptions of a request.
ERRORS = (Refused, GitlabError, RequestException)


def judge(error: Exception, now: float) -> Fault:
    """Classify one of `ERRORS`. `now` is in seconds since 1970."""
    if isinstance(error, RequestException):
        return Fault(kind="passing" if network.may_pass(error) else "final")
    if not isinstance(error, Refused):
        return Fault(kind="final")
    asked = network.seconds(error.headers.get("retry-after"))
    if error.status == 429:
        # Wait a second more: the window may end at any time within that second.
        reset = network.seconds(error.headers.get("ratelimit-reset"))
        return Fault(kind="limited", wait=max(asked, reset - now + 1 if reset else 0, 0))
    # GitLab locks a merge request or a project for a moment.
    locked = error.status == 409 and "lock" in _said(error).lower()
    return Fault(kind="passing" if error.status in network.PASSING or locked else "final", wait=asked)


def explain(error: Exception, *, settings: Settings, doing: str) -> ForgeError:
    """Return one of `ERRORS` as a message for users.

    Args:
        error: The error.
        settings: The GitLab server and account.
        doing: The action, such as `open a merge request in org/app`.
    """
    name = settings.name
    if isinstance(error, TooManyRedirects):
        return ForgeError(
            f"Cannot {doing}: {name} answered with a redirect.",
            "If the repository was renamed or moved, run `dockertpl fleet discover` again. Otherwise check GITLAB_URL.",
        )
    if isinstance(error, RequestException):
        return ForgeError(*network.unreachable(error, name, doing))
    if not isinstance(error, Refused):
        return ForgeError(f"Cannot {doing} on {name}: {network.short(str(error))}.", "Check GITLAB_URL.")
    words = network.short(_said(error))
    said, status = f" ({words})" if words else "", error.status
    if status in network.PASSING:
        return ForgeError(f"Cannot {doing}: {name} answered with status {status}{said}.", network.RESUME, status=status)
    if status == 401:
        remedy = f"It may have expired or been revoked. Set GITLAB_TOKEN to {WANTED}."
        return ForgeError(
            f"Cannot {doing}: {name} does not accept the token{said}.", _job(settings, remedy), status=status
        )
    if status in (403, 404):
        refused = "the token lacks permission" if status == 403 else "not found, or the token lacks permission"
        return ForgeError(
            f"Cannot {doing} on {name}: {refused}{said}.", _job(settings, f"Use {WANTED} there."), status=status
        )
    kind = network.ExistsError if status == 409 else ForgeError
    return kind(
        f"Cannot {doing}: {name} answered with status {status}{said}.",
        "The repository may have changed. Run `dockertpl fleet discover` again.",
        status=status,
    )


def _job(settings: Settings, remedy: str) -> str:
    if not settings.is_job:
        return remedy
    return f"A job token cannot open merge requests or issues. Set GITLAB_TOKEN to {WANTED}."


def _said(error: Refused) -> str:
    """Return GitLab's message, which is a text, a list, or lists by field."""
    try:
        content = json.loads(error.body)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    return "; ".join(_words(content.get("message") or content.get("error_description") or content.get("error")))


def _words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{key} {word}" for key, each in value.items() for word in _words(each)]
    if isinstance(value, list):
        return [word for each in value for word in _words(each)]
    return [str(value)] if value else []
