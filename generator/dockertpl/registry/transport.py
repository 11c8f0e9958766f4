"""HTTP for untrusted registries: limits on size and time, and credentials that only go to their host.

The standard library handles the environment's proxies, SSL_CERT_FILE and TLS. This module adds two rules: a redirect
never leaves https, and takes no credentials to another host.
"""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from dockertpl import __version__
from dockertpl.errors import RegistryError
from dockertpl.registry.reference import is_loopback, public_name

#: The most bytes to read of an answer. The specification asks registries to accept manifests of this size.
LIMIT = 4 * 1024 * 1024

_SECONDS = 20.0  # for one step: to connect, or until more bytes arrive
_SECONDS_IN_ALL = 60.0
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_CHUNK = 64 * 1024

_NETWORK = (
    "Pinning needs a network. Behind a proxy, set HTTPS_PROXY (and NO_PROXY). To use a mirror, add\n"
    "--registry-mirror {host}=MIRROR"
)
_CA = (
    "If a proxy re-signs TLS, set SSL_CERT_FILE to a bundle with its CA and the public ones. Your own registries\n"
    "need a certificate, too, unless they are on loopback."
)


class Answer(NamedTuple):
    """A server's answer.

    Attributes:
        status: The HTTP status.
        headers: Its headers.
        body: Its complete body.
    """

    status: int
    headers: Message
    body: bytes


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    authorization: str | None = None,
    form: bytes | None = None,
    redirects: int = _MOST_REDIRECTS,
) -> Answer:
    """Send one request.

    Args:
        method: GET, HEAD or POST.
        url: An https URL, or an http one on loopback.
        headers: Headers for every host, including those of redirects.
        authorization: A header only for the host of `url`.
        form: The encoded fields of a form.
        redirects: The most redirects to follow.

    Raises:
        RegistryError: The connection fails, or the answer is too big, too slow or not HTTP.
    """
    asked = url
    deadline = time.monotonic() + _SECONDS_IN_ALL
    for _ in range(redirects + 1):
        _check(url, asked)
        request = urllib.request.Request(url, data=form, method=method)  # noqa: S310 - _check saw to the scheme
        for name, value in headers.items():
            request.add_header(name, value)
        if authorization and _origin(url) == _origin(asked):
            request.add_header("Authorization", authorization)
        answer = _send(request, deadline)
        target = answer.headers.get("Location")
        if answer.status not in _REDIRECTS or target is None or not redirects:
            return answer
        url = urljoin(url, target)
    raise RegistryError(f"{host_of(asked)} redirects too often.", "Is that host a registry?")


def host_of(url: str) -> str:
    """Return a URL's host, with a port if it has one."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_safe(url: str, seen_from: str) -> bool:
    """Return whether a URL that a server named is safe: https, or loopback if the server is on loopback, too.

    Args:
        seen_from: The server's own URL.
    """
    try:
        target, source = urlsplit(url), urlsplit(seen_from)
        if target.scheme == "https":
            return bool(target.hostname)
        return target.scheme == "http" and is_loopback(target.hostname or "") and is_loopback(source.hostname or "")
    except ValueError:
        return False


def _check(url: str, seen_from: str) -> None:
    if not is_safe(url, seen_from):
        raise RegistryError(
            f"{host_of(seen_from)} leads to {url[:200]!r}. That was not followed, because it is not https.",
            "Is that host a registry? A mirror without TLS has to be on loopback.",
        )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return an opener for a URL. It only knows http and https, follows no redirect and raises on no status."""
    opener = urllib.request.OpenerDirector()
    parts = urlsplit(url)
    opener.add_handler(urllib.request.ProxyHandler({} if is_loopback(parts.hostname or "") else None))
    opener.add_handler(urllib.request.HTTPHandler())
    if parts.scheme == "https":
        # Loading the machine's certificates takes longer than a request to this machine.
        opener.add_handler(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    opener.addheaders = [("User-Agent", f"dockertpl/{__version__}")]
    return opener


def _send(request: urllib.request.Request, deadline: float) -> Answer:
    host = host_of(request.full_url)
    try:
        with _opener(request.full_url).open(request, timeout=_SECONDS) as response:
            return Answer(response.status, response.headers, _read(response, host, deadline))
    except urllib.error.URLError as error:
        reason = error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason))
        raise _unreachable(host, reason) from error
    except OSError as error:
        raise _unreachable(host, error) from error
    except (http.client.HTTPException, ValueError) as error:
        raise RegistryError(f"{host} does not speak HTTP as a registry does: {_short(error)}.", _wrong()) from error


def _read(response: http.client.HTTPResponse, host: str, deadline: float) -> bytes:
    parts: list[bytes] = []
    left = LIMIT
    while part := response.read1(min(_CHUNK, left + 1)):
        left -= len(part)
        if left < 0:
            raise RegistryError(f"{host} sends more than {LIMIT >> 20} MiB, so it is not a manifest.", _wrong())
        if time.monotonic() > deadline:
            raise _unreachable(host, TimeoutError())
        parts.append(part)
    declared = response.headers.get("Content-Length")
    body = b"".join(parts)
    # read1 does not report a truncated body.
    if declared is not None and declared.isdigit() and response.length and len(body) < int(declared):
        raise http.client.IncompleteRead(body, int(declared) - len(body))
    return body


def _unreachable(host: str, error: OSError) -> RegistryError:
    network = _NETWORK.format(host=public_name(host))
    if isinstance(error, ssl.SSLCertVerificationError):
        return RegistryError(f"{host} has a certificate that is not trusted: {error.verify_message}.", _CA)
    if isinstance(error, ssl.SSLError):
        return RegistryError(f"The TLS connection to {host} failed: {_short(error)}.", _CA)
    if isinstance(error, TimeoutError):
        return RegistryError(f"{host} does not answer in time.", network)
    return RegistryError(f"{host} cannot be reached: {error.strerror or _short(error)}.", network)


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200].rstrip(".")


def _wrong() -> str:
    return "Is that host a registry, and not a login page or a proxy?"
