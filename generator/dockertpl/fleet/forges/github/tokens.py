"""The tokens for owners' repositories: one token for all, or an App's tokens, which last an hour."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

import github
from github.Requester import Requester

from dockertpl import __version__
from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.github.requests import CONCURRENT, READ, Sender
from dockertpl.fleet.forges.github.settings import Settings

# Longer than a push or a fetch takes.
_MARGIN = 300.0
_TIMEOUT = 30
_API_VERSION = "2022-11-28"
_WANTED = "an App's permissions, with the App installed for that owner"


class Tokens(Protocol):
    """A source of tokens."""

    def token(self, owner: str) -> str:
        """Return a token that is valid for some minutes.

        Args:
            owner: The owner of the repositories. Empty for any owner.

        Raises:
            ForgeError: No token is available.
        """
        ...

    def renew(self, owner: str, refused: str) -> bool:
        """Forget a token that GitHub refused, and return whether there may be another."""
        ...


class OneToken:
    """The same token for every owner."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self, owner: str) -> str:
        """Return the token."""
        return self._token

    def renew(self, owner: str, refused: str) -> bool:
        """Return False: it is the only token."""
        return False


class AppTokens:
    """An App's tokens, one for each owner, created on demand and renewed before they expire."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        """Check the App's private key.

        Args:
            settings: The App's number and key.
            sender: Sends the requests for tokens.

        Raises:
            ForgeError: The key is not valid.
        """
        auth = github.Auth.AppAuth(settings.app, settings.key)
        try:
            auth.create_jwt()
        except Exception as error:  # PyJWT and cryptography have no error in common, and the text may hold the key.
            raise ForgeError(
                "The private key of the GitHub App is not a valid PEM key.",
                "Use the whole .pem file that you downloaded from GitHub, with its first and last line.",
            ) from error
        self._requester = requester(settings, auth)
        self._sender = sender
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}

    def token(self, owner: str) -> str:
        """Return the token for an owner. The App must be installed there."""
        # One at a time: a second thread waits for the first one's token.
        with self._lock:
            token, ends = self._known.get(owner.lower(), ("", 0.0))
            if self._sender.clock() + _MARGIN >= ends:
                token, ends = self._make(owner)
                self._known[owner.lower()] = token, ends
            return token

    def renew(self, owner: str, refused: str) -> bool:
        """Forget a token, so the next one is new."""
        with self._lock:
            if self._known.get(owner.lower(), ("", 0.0))[0] == refused:
                del self._known[owner.lower()]
        return True

    def _make(self, owner: str) -> tuple[str, float]:
        number = self._installation(owner)
        # An extra token does no harm, so a retry is safe.
        made = self._ask("POST", f"/app/installations/{number}/access_tokens", owner)
        try:
            return str(made["token"]), datetime.fromisoformat(made["expires_at"]).timestamp()
        except (KeyError, TypeError, ValueError) as error:
            raise ForgeError(f"{self._sender.settings.name} sent an invalid token for the App.") from error

    def _installation(self, owner: str) -> int:
        if not owner:
            return self._only_installation()
        problem: ForgeError | None = None
        for kind in ("orgs", "users"):
            try:
                return int(self._ask("GET", f"/{kind}/{quote(owner, safe='')}/installation", owner)["id"])
            except ForgeError as error:
                if error.data.get("status") != 404:
                    raise
                problem = error
        raise ForgeError(
            f"The GitHub App {self._sender.settings.app} is not installed for {owner}.",
            "Install the App there, with access to the repositories of the fleet.",
        ) from problem

    def _only_installation(self) -> int:
        found = self._ask("GET", "/app/installations", "its owners")
        if len(found) != 1:
            raise ForgeError(
                f"The GitHub App {self._sender.settings.app} is installed for {len(found)} owners.",
                "Name one of them: github:OWNER, or github:OWNER?search=QUERY.",
            )
        return int(found[0]["id"])

    def _ask(self, verb: str, path: str, owner: str) -> Any:
        return self._sender.send(
            lambda: self._requester.requestJsonAndCheck(verb, path)[1],
            cost=READ,
            doing=f"find the App's installation for {owner}",
            wanted=_WANTED,
        )


class _Changing(github.Auth.Auth):
    """Gives PyGithub a valid token before each request."""

    def __init__(self, tokens: Tokens, owner: str) -> None:
        self._tokens = tokens
        self._owner = owner

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        return self._tokens.token(self._owner)

    @property
    def _masked_token(self) -> str:
        return "token (removed)"


def requester(settings: Settings, auth: github.Auth.Auth) -> Requester:
    """Return a requester of PyGithub that threads may share. It never retries or waits."""
    return github.Github(
        auth=auth,
        base_url=settings.api,
        timeout=_TIMEOUT,
        user_agent=f"dockertpl/{__version__}",
        verify=settings.certificates or True,
        retry=None,
        pool_size=CONCURRENT,
        seconds_between_requests=None,
        seconds_between_writes=None,
        api_version=_API_VERSION,
    ).requester


def for_owner(settings: Settings, tokens: Tokens, owner: str) -> Requester:
    """Return a requester for an owner's repositories. It uses a token that is valid at the time of a request."""
    return requester(settings, _Changing(tokens, owner))
