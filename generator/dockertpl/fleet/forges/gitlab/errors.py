"""What went wrong when GitLab was asked: whether waiting helps, and what a person is told.

python-gitlab sleeps by a clock of its own, knows no pause of other threads, repeats a POST though it may have taken
effect, and hides an answer's headers. Its own tries are turned off, and this is in their place.
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


class Refused(Exception):  # noqa: N818 - an answer, which is told apart before it is an error
    """An answer that is none of what was asked for.

    Attributes:
        status: The HTTP status; 0 where there is none.
        headers: The headers; names in lower case.
        body: The body.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


#: What a request raises.
ERRORS = (Refused, GitlabError, RequestException)


def judge(error: Exception, now: float) -> Fault:
    """Tell what kind of fault it is.

    Args:
        error: One of `ERRORS`.
        now: Seconds since 1970.
    """
    if isinstance(error, RequestException):
        return Fault(kind="passing" if network.may_pass(error) else "final")
    if not isinstance(error, Refused):
        return Fault(kind="final")
    asked = network.seconds(error.headers.get("retry-after"))
    if error.status == 429:
        # A second more: it is not said when within that second the window ends.
        reset = network.seconds(error.headers.get("ratelimit-reset"))
        return Fault(kind="limited", wait=max(asked, reset - now + 1 if reset else 0, 0))
    # GitLab takes a lock of a merge request, or of a project, for a moment.
    locked = error.status == 409 and "lock" in _said(error).lower()
    return Fault(kind="passing" if error.status in network.PASSING or locked else "final", wait=asked)


def explain(error: Exception, *, settings: Settings, doing: str) -> ForgeError:
    """Return what a person is told.

    Args:
        error: One of `ERRORS`.
        settings: Which GitLab it is.
        doing: What was asked for, such as `open a merge request in org/app`.
    """
    name = settings.name
    if isinstance(error, TooManyRedirects):
        return ForgeError(
            f"{name} was asked to {doing}, and says that it is elsewhere now.",
            "Was it renamed or moved? Run `dockertpl fleet discover` again. Is GITLAB_URL right?",
        )
    if isinstance(error, RequestException):
        return ForgeError(*network.unreachable(error, name, doing))
    if not isinstance(error, Refused):
        return ForgeError(f"{name} was asked to {doing}: {network.short(str(error))}.", "Is GITLAB_URL right?")
    words = network.short(_said(error))
    said, status = f" ({words})" if words else "", error.status
    if status in network.PASSING:
        return ForgeError(
            f"{name} is in trouble and did not {doing}: status {status}{said}.", network.RESUME, status=status
        )
    if status == 401:
        remedy = f"It has expired, was revoked, or is another's. Set GITLAB_TOKEN to {WANTED}."
        return ForgeError(
            f"{name} does not take the token, so it did not {doing}{said}.", _job(settings, remedy), status=status
        )
    if status in (403, 404):
        refused = "does not let this token" if status == 403 else "has no such thing, or does not let this token"
        return ForgeError(
            f"{name} {refused} {doing}{said}.", _job(settings, f"The token has to be {WANTED} there."), status=status
        )
    kind = network.ExistsError if status == 409 else ForgeError
    return kind(
        f"{name} did not {doing}: status {status}{said}.",
        "Is the repository as it was when it was found? Run `dockertpl fleet discover` again.",
        status=status,
    )


def _job(settings: Settings, remedy: str) -> str:
    if not settings.is_job:
        return remedy
    return f"A job's own token reads repositories, and opens no merge requests or issues: set GITLAB_TOKEN to {WANTED}."


def _said(error: Refused) -> str:
    """Return GitLab's own words, which are a text, a list, or lists by field."""
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
