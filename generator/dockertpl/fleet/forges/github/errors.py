"""Classify GitHub's errors, and turn them into messages.

This replaces PyGithub's `GithubRetry`. It repeats a POST after any 5xx, although it may have taken effect, and ignores
429 and the pauses of other threads.
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
    """GitHub failed in all tries."""


class NotYetError(ForgeError):
    """The branch is missing, or GitHub's API does not have the new push yet."""


def judge(error: Exception, now: float) -> Fault:
    """Classify an error of PyGithub or requests. `now` is in seconds since 1970."""
    if isinstance(error, RequestException):
        return Fault(kind="passing" if network.may_pass(error) else "final")
    if not isinstance(error, GithubException):
        return Fault(kind="final")
    headers = _headers(error)
    asked = network.seconds(headers.get("retry-after"))
    spent = headers.get("x-ratelimit-remaining") == "0"
    if error.status == 429 or (error.status == 403 and (asked or spent or _speaks_of_limits(error))):
        # Wait a second more: the hour may end at any time within that second.
        reset = network.seconds(headers.get("x-ratelimit-reset")) - now + 1 if spent else 0
        return Fault(kind="limited", wait=max(asked, reset, 0))
    if error.status in network.PASSING:
        return Fault(kind="passing", wait=asked)
    return Fault(kind="login" if error.status == 401 else "final")


def explain(error: Exception, *, settings: Settings, doing: str, wanted: str) -> ForgeError:
    """Return an error of PyGithub or requests as a message for users.

    Args:
        error: The error.
        settings: The GitHub server and account.
        doing: The action, such as `open a pull request in org/app`.
        wanted: The permission that it needs, with GitHub's name.
    """
    name = settings.name
    if isinstance(error, RequestException):
        told = network.unreachable(error, name, doing)
        return ForgeError(*told) if isinstance(error, SSLError) else BusyError(*told)
    if not isinstance(error, GithubException):
        return ForgeError(f"Cannot {doing} on {name}: {network.short(str(error))}.", "Check GITHUB_API_URL.")
    said = _said(error)
    status = error.status
    if status in network.PASSING:
        return BusyError(
            f"Cannot {doing}: {name} answered with status {status}{said}.",
            f"See https://www.githubstatus.com for known problems. {network.RESUME}",
            status=status,
        )
    if status == 401:
        return ForgeError(
            f"Cannot {doing}: {name} does not accept the token{said}.",
            f"It may have expired or been revoked. Set a token with {PERMISSIONS}.",
            status=status,
        )
    if status in (403, 404):
        return _refused(error, name, doing, wanted, said)
    if status == 410:
        remedy = "Turn issues on there, or apply with `--on-conflict draft` or `--on-conflict skip`."
        return ForgeError(f"Cannot {doing} on {name}: issues are turned off{said}.", remedy, status=status)
    kind: type[ForgeError] = ForgeError
    remedy = "The repository may have changed. Run `dockertpl fleet discover` again."
    if status == 422 and "already exists" in said:
        kind, remedy = network.ExistsError, "Check the open pull requests of that branch."
    elif status == 422 and "head invalid" in said:
        kind, remedy = NotYetError, f"The branch may have been deleted. {network.RESUME}"
    elif status == 422 and "draft" in said.lower():
        remedy = "The repository's GitHub plan has no drafts: leave out `--draft`, and use `--on-conflict issue`."
    return kind(f"Cannot {doing}: {name} answered with status {status}{said}.", remedy, status=status)


def _refused(error: GithubException, name: str, doing: str, wanted: str, said: str) -> ForgeError:
    headers = _headers(error)
    remedy = f"The token needs {wanted}, and access to the repository."
    if accepted := headers.get("x-accepted-github-permissions"):
        remedy += f"\nGitHub accepts: {network.short(accepted)}."
    if "archived" in said:
        remedy = "The repository is archived: exclude it from the fleet, or unarchive it."
    elif "x-github-sso" in headers or "saml" in said.lower():
        remedy = "Authorize the token for the organization's single sign-on, in the settings of the token."
    refused = "the token lacks permission" if error.status == 403 else "not found, or the token lacks permission"
    return ForgeError(f"Cannot {doing} on {name}: {refused}{said}.", remedy, status=error.status)


def _speaks_of_limits(error: GithubException) -> bool:
    return Requester.isRateLimitError(_message(error))


def _message(error: GithubException) -> str:
    message = error.data.get("message") if isinstance(error.data, dict) else error.data
    return message if isinstance(message, str) else ""


def _said(error: GithubException) -> str:
    """Return GitHub's message in parentheses, or nothing."""
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
