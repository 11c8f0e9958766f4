"""What went wrong when GitHub was asked: whether waiting helps, and what a person is told.

PyGithub's own `GithubRetry` repeats a POST after any 5xx, though it may have taken effect, knows no 429 and no pause
of other threads, and sleeps by a clock of its own. It is turned off, and this is in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from github import GithubException
from github.Requester import Requester
from requests.exceptions import RequestException, SSLError

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges import network
from dockertpl.fleet.forges.github.settings import PERMISSIONS, Settings
from dockertpl.fleet.forges.retry import Fault


class BusyError(ForgeError):
    """GitHub was asked several times, and had trouble each time."""


class NotYetError(ForgeError):
    """The branch is not there, or was pushed so lately that GitHub's API does not know of it yet."""


def judge(error: Exception, now: float) -> Fault:
    """Tell what kind of fault it is.

    Args:
        error: What PyGithub or requests raised.
        now: Seconds since 1970.
    """
    if isinstance(error, RequestException):
        return Fault(kind="passing" if network.may_pass(error) else "final")
    if not isinstance(error, GithubException):
        return Fault(kind="final")
    headers = _headers(error)
    asked = network.seconds(headers.get("retry-after"))
    spent = headers.get("x-ratelimit-remaining") == "0"
    if error.status == 429 or (error.status == 403 and (asked or spent or _speaks_of_limits(error))):
        # A second more: it is not said when within that second the hour ends.
        reset = network.seconds(headers.get("x-ratelimit-reset")) - now + 1 if spent else 0
        return Fault(kind="limited", wait=max(asked, reset, 0))
    if error.status in network.PASSING:
        return Fault(kind="passing", wait=asked)
    return Fault(kind="login" if error.status == 401 else "final")


def explain(error: Exception, *, settings: Settings, doing: str, wanted: str) -> ForgeError:
    """Return what a person is told.

    Args:
        error: What PyGithub or requests raised.
        settings: Which GitHub it is.
        doing: What was asked for, such as `open a pull request in org/app`.
        wanted: The permission that this takes, as GitHub's settings name it.
    """
    name = settings.name
    if isinstance(error, RequestException):
        told = network.unreachable(error, name, doing)
        return ForgeError(*told) if isinstance(error, SSLError) else BusyError(*told)
    if not isinstance(error, GithubException):
        return ForgeError(f"{name} was asked to {doing}: {network.short(str(error))}.", "Is GITHUB_API_URL right?")
    said = _said(error)
    status = error.status
    if status in network.PASSING:
        return BusyError(
            f"{name} is in trouble and did not {doing}: status {status}{said}.",
            f"https://www.githubstatus.com says whether others see it too. {network.RESUME}",
            status=status,
        )
    if status == 401:
        return ForgeError(
            f"{name} does not take the token, so it did not {doing}{said}.",
            f"It has expired, was revoked, or is another's. Set one that may {PERMISSIONS}.",
            status=status,
        )
    if status in (403, 404):
        return _refused(error, name, doing, wanted, said)
    if status == 410:
        remedy = "Turn issues on there, or apply with `--on-conflict draft` or `--on-conflict skip`."
        return ForgeError(f"{name} did not {doing}: it is turned off there{said}.", remedy, status=status)
    kind: type[ForgeError] = ForgeError
    remedy = "Is the repository as it was when it was found? Run `dockertpl fleet discover` again."
    if status == 422 and "already exists" in said:
        kind, remedy = network.ExistsError, "Look at the open ones of that branch."
    elif status == 422 and "head invalid" in said:
        kind, remedy = NotYetError, f"Was the branch deleted? {network.RESUME}"
    elif status == 422 and "draft" in said.lower():
        remedy = "Its plan has no drafts: leave `--draft` out, and tell of conflicts by `--on-conflict issue`."
    return kind(f"{name} did not {doing}: status {status}{said}.", remedy, status=status)


def _refused(error: GithubException, name: str, doing: str, wanted: str, said: str) -> ForgeError:
    headers = _headers(error)
    remedy = f"The token has to have {wanted}, and the repository has to be among those that it is for."
    if accepted := headers.get("x-accepted-github-permissions"):
        remedy += f"\nGitHub would take: {network.short(accepted)}."
    if "archived" in said:
        remedy = "It is archived: leave it out of the fleet, or unarchive it."
    elif "x-github-sso" in headers or "saml" in said.lower():
        remedy = "Authorize the token for the organisation's single sign-on, in the settings of the token."
    refused = "does not let this token" if error.status == 403 else "has no such thing, or does not let this token"
    return ForgeError(f"{name} {refused} {doing}{said}.", remedy, status=error.status)


def _speaks_of_limits(error: GithubException) -> bool:
    return Requester.isRateLimitError(_message(error))


def _message(error: GithubException) -> str:
    message = error.data.get("message") if isinstance(error.data, dict) else error.data
    return message if isinstance(message, str) else ""


def _said(error: GithubException) -> str:
    """Return GitHub's own words, to go behind a sentence."""
    details = error.data.get("errors") if isinstance(error.data, dict) else None
    words = [_message(error)]
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict):
            text = detail.get("message") or " ".join(str(detail.get(key, "")) for key in ("field", "code"))
            words.append(str(text).strip())
        else:
            words.append(str(detail))
    text = network.short("; ".join(dict.fromkeys(word.rstrip(". ") for word in words if word)))
    return f" ({text})" if text else ""


def _headers(error: GithubException) -> Mapping[str, Any]:
    return {str(name).lower(): value for name, value in (error.headers or {}).items()}
