"""Connects to a forge; its client library is imported only then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from urllib.parse import urlsplit

from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.model import ForgeName, Repository

#: Any of these says that an account is meant.
_TOKENS: Mapping[str, tuple[str, ...]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_APP_ID"),
    "gitlab": ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
}
#: What says at which address a forge is asked, and where it is asked otherwise.
_ADDRESSES: Mapping[ForgeName, tuple[tuple[str, ...], str]] = {
    "github": (("GITHUB_API_URL",), "https://github.com"),
    "gitlab": (("GITLAB_URL", "CI_SERVER_URL"), "https://gitlab.com"),
}


@dataclass
class Forges:
    """The forges of a run, each connected to once, for any thread.

    Attributes:
        environ: Environment variables, with the tokens.
        share: How many runs share the account's limits.
        waiting: Called with the seconds of each wait before it begins, by whichever thread waits.
    """

    environ: Mapping[str, str]
    share: int = 1
    waiting: Callable[[float], None] = lambda seconds: None
    _connected: dict[str, Forge] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Let nobody wait any longer for a forge: what waits, or would, is interrupted."""
        self._stopped.set()

    def check(self) -> None:
        """Interrupt this thread if nobody is to wait any longer: its item is then neither done nor failed.

        Raises:
            KeyboardInterrupt: So it is.
        """
        self._sleep(0)

    def _sleep(self, seconds: float) -> None:
        self.waiting(seconds)
        if self._stopped.wait(seconds):
            raise KeyboardInterrupt

    def at(self, host: str) -> ForgeName:
        """Return which forge is at a host; empty for plain Git, as for every forge but the one that would be asked.

        Args:
            host: The host, with its port if the address has one.
        """
        for name, (keys, public) in _ADDRESSES.items():
            address = next(filter(None, map(self.environ.get, keys)), public)
            # GitHub's API is at api.HOST or at HOST/api/v3.
            if urlsplit(address).netloc.rpartition("@")[2].lower().removeprefix("api.") == host:
                return name
        return ""

    def connect(self, name: ForgeName) -> Forge:
        """Return a forge.

        Args:
            name: Which.

        Raises:
            ForgeError: There is no token, it will not do, or the client library is not installed.
        """
        with self._lock:
            if name not in self._connected:
                module = import_module(f"dockertpl.fleet.forges.{name}")
                self._connected[name] = module.connect(self.environ, share=self.share, sleep=self._sleep)
            return self._connected[name]

    def of(self, repository: Repository) -> Forge | None:
        """Return the forge of a repository, or None for plain Git.

        Args:
            repository: The repository.

        Raises:
            ForgeError: There is no token, it will not do, or the client library is not installed.
        """
        return self.connect(repository.forge) if repository.forge else None

    def settings(self, repository: Repository) -> Mapping[str, str]:
        """Return settings of git with which a repository is fetched and pushed; none without a token.

        Args:
            repository: The repository.

        Raises:
            ForgeError: The token will not do, or the client library is not installed.
        """
        if not any(self.environ.get(key) for key in _TOKENS.get(repository.forge, ())):
            return {}
        return self.connect(repository.forge).git_settings(repository.slug)
