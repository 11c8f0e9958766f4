"""What either forge's faults have in common, since both are asked through requests: what may pass, and what is said."""

from __future__ import annotations

import requests.exceptions as network

from dockertpl.errors import ForgeError

#: Statuses of a server that is in trouble; they may pass.
PASSING = (500, 502, 503, 504)
RESUME = "What was done is kept: go on with `dockertpl fleet resume --failed`."


class ExistsError(ForgeError):
    """What was to be made is there already."""


def may_pass(error: network.RequestException) -> bool:
    """Tell whether asking again may help.

    Args:
        error: What requests raised.
    """
    if isinstance(error, network.SSLError | network.InvalidURL):
        return False
    return isinstance(
        error, network.ConnectionError | network.Timeout | network.ChunkedEncodingError | network.ContentDecodingError
    )


def unreachable(error: network.RequestException, name: str, doing: str) -> tuple[str, str]:
    """Return what a person is told of a forge that gave no answer, and what to do.

    Args:
        error: What requests raised.
        name: Which forge it is.
        doing: What was asked for, such as `open a pull request in org/app`.
    """
    if isinstance(error, network.SSLError):
        return (
            f"{name}: its certificate is not trusted, so it was not asked to {doing}.",
            "SSL_CERT_FILE names a bundle with the CA that signed it, or that a proxy signs with, and the public ones.",
        )
    return (
        f"{name} cannot be reached to {doing}: {_reason(error)}.",
        f"Is there a network? Behind a proxy set HTTPS_PROXY (and NO_PROXY). {RESUME}",
    )


def too_long(name: str, doing: str, wait: float) -> ForgeError:
    """Return what is said where a forge wants a longer pause than a run should make.

    Args:
        name: Which forge it is.
        doing: What was asked for.
        wait: How many seconds it wants.
    """
    return ForgeError(
        f"{name} limits how often it may be asked, and did not {doing}.",
        f"It can be asked again in {max(1, round(wait / 60))} min. {RESUME}",
        wait=round(wait),
    )


def seconds(text: object) -> float:
    """Return a header's number of seconds; 0 for anything that is none, such as a date.

    Args:
        text: What the header says.
    """
    try:
        return max(0.0, float(str(text)))
    except ValueError:
        return 0.0


def short(text: str) -> str:
    """Return a forge's own words in one line, without the dot at their end, and no more of them than a person reads.

    Args:
        text: The words.
    """
    return " ".join(text.split())[:300].rstrip(". ")


def _reason(error: Exception) -> str:
    if isinstance(error, network.Timeout):
        return "it does not answer in time"
    if isinstance(error, network.ProxyError):
        return "the proxy does not let us through"
    return "the connection broke, or there was none"
