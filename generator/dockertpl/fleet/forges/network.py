"""Network errors of GitHub and GitLab, since both clients use requests."""

from __future__ import annotations

import requests.exceptions as network

from dockertpl.errors import ForgeError

#: Statuses of temporary server errors.
PASSING = (500, 502, 503, 504)
RESUME = "Finished work is kept. Resume with `dockertpl fleet resume --failed`."


class ExistsError(ForgeError):
    """The item to create already exists."""


def may_pass(error: network.RequestException) -> bool:
    """Return whether an error of requests may be temporary."""
    if isinstance(error, network.SSLError | network.InvalidURL):
        return False
    return isinstance(
        error, network.ConnectionError | network.Timeout | network.ChunkedEncodingError | network.ContentDecodingError
    )


def unreachable(error: network.RequestException, name: str, doing: str) -> tuple[str, str]:
    """Return message and remedy for a server that cannot be reached.

    Args:
        error: The error of requests.
        name: The server's name in messages.
        doing: The action, such as `open a pull request in org/app`.
    """
    if isinstance(error, network.SSLError):
        return (
            f"Cannot {doing}: the certificate of {name} is not trusted.",
            "Set SSL_CERT_FILE to a bundle with the public CAs and the one of your server or proxy.",
        )
    return (
        f"Cannot {doing}: {name} cannot be reached ({_reason(error)}).",
        f"Check the network. Behind a proxy, set HTTPS_PROXY and NO_PROXY. {RESUME}",
    )


def too_long(name: str, doing: str, wait: float) -> ForgeError:
    """Return the error for a rate limit that lasts longer than a run should wait.

    Args:
        name: The server's name in messages.
        doing: The action.
        wait: The seconds to wait.
    """
    return ForgeError(
        f"Cannot {doing}: the rate limit of {name} is exhausted.",
        f"Try again in {max(1, round(wait / 60))} min. {RESUME}",
        wait=round(wait),
    )


def seconds(text: object) -> float:
    """Return a header's number of seconds, or 0 for other values, such as a date."""
    try:
        return max(0.0, float(str(text)))
    except ValueError:
        return 0.0


def short(text: str) -> str:
    """Return a server's message on one line, shortened, without the period at its end."""
    return " ".join(text.split())[:300].rstrip(". ")


def _reason(error: Exception) -> str:
    if isinstance(error, network.Timeout):
        return "the request timed out"
    if isinstance(error, network.ProxyError):
        return "the proxy refused the connection"
    return "the connection failed"
