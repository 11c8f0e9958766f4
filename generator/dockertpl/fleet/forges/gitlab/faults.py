"""What went wrong when GitLab was asked: whether waiting helps, and what a person is told.

python-gitlab sleeps by a clock of its own, knows no pause of other threads, repeats a POST though it may have taken
effect, and hides an answer's headers. Its own tries are turned off, and this is in their place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests.exceptions as network
from gitlab.exceptions import GitlabError

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.gitlab.settings import WANTED, Settings
from dockertpl.fleet.forges.trying import Fault

_PASSING = (500, 502, 503, 504)
_RESUME = "What was done is kept: go on with `dockertpl fleet resume --failed`."


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


class ExistsError(ForgeError):
    """What was to be made is there already."""


#: What a request raises.
ERRORS = (Refused, GitlabError, network.RequestException)


def judge(error: Exception, now: float) -> Fault:
    """Tell what kind of fault it is.

    Args:
        error: One of `ERRORS`.
        now: Seconds since 1970.
    """
    if isinstance(error, network.RequestException):
        return Fault(kind="passing" if _may_pass(error) else "final")
    if not isinstance(error, Refused):
        return Fault(kind="final")
    asked = _seconds(error.headers.get("retry-after"))
    if error.status == 429:
        # A second more: it is not said when within that second the window ends.
        reset = _seconds(error.headers.get("ratelimit-reset"))
        return Fault(kind="limited", wait=max(asked, reset - now + 1 if reset else 0, 0))
    # GitLab takes a lock of a merge request, or of a project, for a moment.
    locked = error.status == 409 and "lock" in _said(error).lower()
    return Fault(kind="passing" if error.status in _PASSING or locked else "final", wait=asked)


def explain(error: Exception, *, settings: Settings, doing: str) -> ForgeError:
    """Return what a person is told.

    Args:
        error: One of `ERRORS`.
        settings: Which GitLab it is.
        doing: What was asked for, such as `open a merge request in org/app`.
    """
    name = settings.name
    if isinstance(error, network.SSLError):
        return ForgeError(
            f"{name}: its certificate is not trusted, so it was not asked to {doing}.",
            "SSL_CERT_FILE names a bundle with the CA that signed it, or that a proxy signs with, and the public ones.",
        )
    if isinstance(error, network.TooManyRedirects):
        return ForgeError(
            f"{name} was asked to {doing}, and says that it is elsewhere now.",
            "Was it renamed or moved? Run `dockertpl fleet discover` again. Is GITLAB_URL right?",
        )
    if isinstance(error, network.RequestException):
        return ForgeError(
            f"{name} cannot be reached to {doing}: {_reason(error)}.",
            f"Is there a network? Behind a proxy set HTTPS_PROXY (and NO_PROXY). {_RESUME}",
        )
    if not isinstance(error, Refused):
        return ForgeError(f"{name} was asked to {doing}: {_short(str(error))}.", "Is GITLAB_URL right?")
    words = _short(_said(error))
    said, status = f" ({words})" if words else "", error.status
    if status in _PASSING:
        return ForgeError(f"{name} is in trouble and did not {doing}: status {status}{said}.", _RESUME, status=status)
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
    kind = ExistsError if status == 409 else ForgeError
    return kind(
        f"{name} did not {doing}: status {status}{said}.",
        "Is the repository as it was when it was found? Run `dockertpl fleet discover` again.",
        status=status,
    )


def too_long(settings: Settings, doing: str, wait: float) -> ForgeError:
    """Return what is said where GitLab wants a longer pause than a run should make.

    Args:
        settings: Which GitLab it is.
        doing: What it was asked for.
        wait: How many seconds it wants.
    """
    return ForgeError(
        f"{settings.name} limits how often it may be asked, and did not {doing}.",
        f"It can be asked again in {max(1, round(wait / 60))} minutes. {_RESUME}",
        wait=round(wait),
    )


def _job(settings: Settings, remedy: str) -> str:
    if not settings.is_job:
        return remedy
    return f"A job's own token reads repositories, and opens no merge requests or issues: set GITLAB_TOKEN to {WANTED}."


def _may_pass(error: network.RequestException) -> bool:
    if isinstance(error, network.SSLError | network.InvalidURL):
        return False
    return isinstance(
        error, network.ConnectionError | network.Timeout | network.ChunkedEncodingError | network.ContentDecodingError
    )


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


def _reason(error: Exception) -> str:
    if isinstance(error, network.Timeout):
        return "it does not answer in time"
    if isinstance(error, network.ProxyError):
        return "the proxy does not let us through"
    return "the connection broke, or there was none"


def _seconds(text: object) -> float:
    """Return a number of seconds; 0 for anything that is none, such as a date."""
    try:
        return max(0.0, float(str(text)))
    except ValueError:
        return 0.0


def _short(text: str) -> str:
    return " ".join(text.split())[:300].rstrip(". ")
