"""Credentials for registries, from `docker login` and its credential helpers."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockertpl.registry.reference import hosts

_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SECONDS = 30
# A helper returns this user name if the secret is an identity token.
_TOKEN_USER = "<token>"  # noqa: S105 - a name


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Credentials for a registry.

    Attributes:
        user: The user's name. Empty if there is only a token.
        secret: The password.
        identity_token: A token that the token server exchanges for a short-lived one.
        registry_token: A token for the registry itself.
    """

    user: str = ""
    secret: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    def basic(self) -> str:
        """Return the value of an Authorization header, or an empty text without a user name."""
        if not self.user:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


@dataclass(frozen=True, kw_only=True)
class HostCredentials:
    """The credentials for a host.

    Attributes:
        credentials: The credentials, or None.
        problem: Why a configured source could not be read. It matters only if the registry refuses.
    """

    credentials: Credentials | None = None
    problem: str = ""


def find(host: str, environ: Mapping[str, str] | None = None) -> HostCredentials:
    """Find credentials in docker's config.json, in docker's order: the host's helper, the store, the file.

    Args:
        host: A registry's host, with a port if it has one.
        environ: The environment with DOCKER_CONFIG, by default the process's own.
    """
    environ = os.environ if environ is None else environ
    folder = environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        return HostCredentials()
    except OSError as error:
        return HostCredentials(problem=f"{path} cannot be read: {error.strerror}")
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        return HostCredentials(problem=f"{path} is not a JSON object")
    problem = ""
    helper = _entry(config.get("credHelpers"), host) or config.get("credsStore")
    if helper:
        found = _ask(str(helper), _login(host), environ)
        if found.credentials:
            return found
        problem = found.problem
    return HostCredentials(credentials=_stored(_entry(config.get("auths"), host)), problem=problem)


def _login(host: str) -> str:
    """Return the name of a host in config.json and in helpers."""
    return str(hosts().get(host, {}).get("login", host))


def _entry(section: Any, host: str) -> Any:
    """Return the entry of a host in a section of config.json. Its key may be a URL."""
    if not isinstance(section, dict):
        return None
    names = {host, *hosts().get(host, {}).get("aliases", ())}
    return next(
        (value for key, value in section.items() if re.sub(r"^https?://", "", key).split("/")[0] in names), None
    )


def _stored(entry: Any) -> Credentials | None:
    if not isinstance(entry, dict):
        return None
    user, secret = _text(entry, "username"), _text(entry, "password")
    try:
        pair = base64.b64decode(_text(entry, "auth"), validate=True).decode().rstrip("\0")
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    if pair:
        user, _, secret = pair.partition(":")
    found = Credentials(
        user=user,
        secret=secret,
        identity_token=_text(entry, "identitytoken"),
        registry_token=_text(entry, "registrytoken"),
    )
    return found if found != Credentials() else None


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _ask(helper: str, server: str, environ: Mapping[str, str]) -> HostCredentials:
    """Ask a credential helper. It is not a problem if it has no credentials."""
    program = f"docker-credential-{helper}"
    # A plain name is looked up on PATH. A name with a slash would run any program.
    if not _HELPER.fullmatch(helper):
        return HostCredentials(problem=f"{program!r} is not a credential helper's name")
    try:
        done = subprocess.run(
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            env=dict(environ),
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return HostCredentials(problem=f"{program} is not installed")
    except subprocess.TimeoutExpired:
        return HostCredentials(problem=f"{program} did not answer in {_SECONDS} s")
    except OSError as error:
        return HostCredentials(problem=f"{program} cannot be run: {error.strerror}")
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).decode(errors="replace").split())[:200]
        return (
            HostCredentials()
            if "credentials not found" in said
            else HostCredentials(problem=f"{program} failed: {said}")
        )
    try:
        answer = json.loads(done.stdout)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        return HostCredentials(problem=f"{program} did not answer with a JSON object")
    user, secret = _text(answer, "Username"), _text(answer, "Secret")
    if user == _TOKEN_USER:
        return HostCredentials(credentials=Credentials(identity_token=secret))
    return HostCredentials(credentials=Credentials(user=user, secret=secret)) if user else HostCredentials()
