"""Which token is good for an owner's repositories: one for all, or an App's, which lasts an hour."""

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

# Longer than a push or a fetch takes that begins with it.
_MARGIN = 300.0
_TIMEOUT = 30
_API_VERSION = "2022-11-28"
_WANTED = "to be the App's own, with the App installed for that owner"


class Tokens(Protocol):
    """Where tokens come from."""

    def token(self, owner: str) -> str:
        """Return a token that is good for some minutes.

        Args:
            owner: Whose repositories it is for; empty for those of anybody.

        Raises:
            ForgeError: There is none.
        """
        ...

    def renew(self, owner: str, refused: str) -> bool:
        """Forget a token that GitHub refused, and tell whether there may be another.

        Args:
            owner: Whose repositories it was for.
            refused: The token.
        """
        ...


class OneToken:
    """The same token for every owner."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self, owner: str) -> str:
        """Return it."""
        return self._token

    def renew(self, owner: str, refused: str) -> bool:
        """Tell that there is no other."""
        return False


class AppTokens:
    """An App's tokens, each for one owner, made when they are needed and again before they end."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        """Check the key.

        Args:
            settings: With the App's number and key.
            sender: Sends what asks for tokens.

        Raises:
            ForgeError: The key is none.
        """
        auth = github.Auth.AppAuth(settings.app, settings.key)
        try:
            auth.create_jwt()
        except Exception as error:  # PyJWT and cryptography have no error in common, and the text may hold the key.
            raise ForgeError(
                "The private key of the GitHub App is no key in PEM form.",
                "It is the .pem file that GitHub made when the key was generated, with its first and last line.",
            ) from error
        self._requester = requester(settings, auth)
        self._sender = sender
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}

    def token(self, owner: str) -> str:
        """Return the token for an owner, who has to have the App installed."""
        # One at a time: a second thread waits for the first one's token, and asks for none of its own.
        with self._lock:
            token, ends = self._known.get(owner.lower(), ("", 0.0))
            if self._sender.clock() + _MARGIN >= ends:
                token, ends = self._make(owner)
                self._known[owner.lower()] = token, ends
            return token

    def renew(self, owner: str, refused: str) -> bool:
        """Forget a token, so that the next is a new one."""
        with self._lock:
            if self._known.get(owner.lower(), ("", 0.0))[0] == refused:
                del self._known[owner.lower()]
        return True

    def _make(self, owner: str) -> tuple[str, float]:
        number = self._installation(owner)
        # A token too many does no harm, so this is repeated like a read.
        made = self._ask("POST", f"/app/installations/{number}/access_tokens", owner)
        try:
            return str(made["token"]), datetime.fromisoformat(made["expires_at"]).timestamp()
        except (KeyError, TypeError, ValueError) as error:
            raise ForgeError(f"{self._sender.settings.name} gives the App a token that cannot be read.") from error

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
            "Install it there, for the repositories of the fleet.",
        ) from problem

    def _only_installation(self) -> int:
        found = self._ask("GET", "/app/installations", "its owners")
        if len(found) != 1:
            raise ForgeError(
                f"The GitHub App {self._sender.settings.app} is installed for {len(found)} owners, and none is named.",
                "Name one: github:OWNER, or github:OWNER?search=QUERY.",
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
    """What PyGithub asks for a token before each request."""

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
    """Return what sends requests for PyGithub, which threads may share. It tries once, and never waits.

    Args:
        settings: Which GitHub it is.
        auth: Who we are.
    """
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
    """Return what sends requests about an owner's repositories, with whichever token is good at that moment.

    Args:
        settings: Which GitHub it is.
        tokens: Where tokens come from.
        owner: Whose repositories; empty for those of anybody.
    """
    return requester(settings, _Changing(tokens, owner))
