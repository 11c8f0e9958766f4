"""Answer a registry's 401: HTTP basic authentication, or a token from the server that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from dockertpl.errors import RegistryError
from dockertpl.registry import transport
from dockertpl.registry.credentials import Credentials

_SCHEME = re.compile(r"(?:^|,)\s*(Basic|Bearer)\b", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')


class Challenge(NamedTuple):
    """A way to authenticate that a registry offers.

    Attributes:
        scheme: `basic` or `bearer`.
        parameters: Its parameters by name: realm, service, scope.
    """

    scheme: str
    parameters: Mapping[str, str]


def challenges(headers: Sequence[str]) -> list[Challenge]:
    """Read the values of WWW-Authenticate headers. Skip schemes that registries do not use."""
    found = []
    for header in headers:
        starts = list(_SCHEME.finditer(header))
        for number, match in enumerate(starts):
            end = starts[number + 1].start() if number + 1 < len(starts) else len(header)
            parameters = {
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain
                for name, quoted, plain in _PARAMETER.findall(header[match.end() : end])
            }
            found.append(Challenge(match[1].lower(), parameters))
    return found


def authorize(
    offered: Sequence[Challenge], *, host: str, url: str, repository: str, credentials: Credentials | None
) -> str | None:
    """Return the value of an Authorization header, or None if no offered way works.

    Args:
        offered: The ways that the registry offers.
        host: The registry's host, as in image names.
        url: The URL that offered them.
        repository: The repository to read.
        credentials: Credentials for that registry, or None.

    Raises:
        RegistryError: The token server cannot be reached, refuses, or is not safe to ask.
    """
    bearer = next((each.parameters for each in offered if each.scheme == "bearer"), None)
    if bearer is not None:
        if credentials and credentials.registry_token:
            return f"Bearer {credentials.registry_token}"
        return f"Bearer {_token(bearer, host, url, repository, credentials)}"
    if any(each.scheme == "basic" for each in offered) and credentials:
        return credentials.basic() or None
    return None


def _token(
    challenge: Mapping[str, str], host: str, registry: str, repository: str, credentials: Credentials | None
) -> str:
    realm = challenge.get("realm", "")
    # Credentials go to any host that the registry names, so the connection must be safe from others.
    if not transport.is_safe(realm, registry):
        raise RegistryError(
            f"{host} wants a token from {realm[:200]!r}. That was not sent, because it is not https.",
            "Is that host a registry? Its WWW-Authenticate header names the token server.",
        )
    fields = {"scope": challenge.get("scope") or f"repository:{repository}:pull"}
    if "service" in challenge:
        fields["service"] = challenge["service"]
    if credentials and credentials.identity_token:
        fields |= {
            "grant_type": "refresh_token",
            "client_id": "dockertpl",
            "refresh_token": credentials.identity_token,
        }
        form = urlencode(fields).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = transport.send("POST", realm, headers=headers, form=form, redirects=0)
    else:
        parts = urlsplit(realm)
        query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
        address = urlunsplit(parts._replace(query=query, fragment=""))
        authorization = (credentials.basic() if credentials else "") or None
        answer = transport.send("GET", address, headers={}, authorization=authorization)
    return _read(answer, transport.host_of(realm), host)


def _read(answer: transport.Answer, server: str, host: str) -> str:
    if answer.status != 200:
        raise RegistryError(
            f"{server}, the token server of {host}, refuses with status {answer.status}.",
            f"Is the password right? Log in again with: docker login {host}",
            status=answer.status,
        )
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        content = None
    token = (content.get("token") or content.get("access_token")) if isinstance(content, dict) else None
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise RegistryError(f"{server}, the token server of {host}, sends no token.", "Is that host a registry?")
    return token
