"""Connect to GitHub or GitLab. The client library is imported on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from urllib.parse import urlsplit

from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.forges.timing import Timing
from dockertpl.fleet.model import ForgeName, Repository

#: One of these variables must be set to use an account.
_TOKENS: Mapping[str, tuple[str, ...]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_APP_ID"),
    "gitlab": ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
}
#: The variables with the address of an API, and the default address.
_ADDRESSES: Mapping[ForgeName, tuple[tuple[str, ...], str]] = {
    "github": (("GITHUB_API_URL",), "https://github.com"),
    "gitlab": (("GITLAB_URL", "CI_SERVER_URL"), "https://gitlab.com"),
}


@dataclass
class Forges:
    """The connections of a run, shared by all threads.

    Attributes:
        environ: Environment variables, with the tokens.
        share: The number of runs that share the account's limits.
        waiting: Called with the seconds before each wait, in the thread that waits.
    """

    environ: Mapping[str, str]
    share: int = 1
    waiting: Callable[[float], None] = lambda seconds: None
    _connected: dict[str, Forge] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Interrupt all threads that wait for GitHub or GitLab, now or later."""
        self._stopped.set()

    def check(self) -> None:
        """Interrupt this thread after `stop`. Its item is then neither done nor failed.

        Raises:
            KeyboardInterrupt: `stop` was called.
        """
        self._sleep(0)

    def _sleep(self, seconds: float) -> None:
        self.waiting(seconds)
        if self._stopped.wait(seconds):
            raise KeyboardInterrupt

    def at(self, host: str) -> ForgeName:
        """Return the forge of a host, with its port if it has one. Empty for other hosts, which use plain Git."""
        for name, (keys, public) in _ADDRESSES.items():
            address = next(filter(None, map(self.environ.get, keys)), public)
            # GitHub's API is at api.HOST or at HOST/api/v3.
            if urlsplit(address).netloc.rpartition("@")[2].lower().removeprefix("api.") == host:
                return name
        return ""

    def connect(self, name: ForgeName) -> Forge:
        """Return the connection to a forge.

        Raises:
            ForgeError: The token is missing or not valid, or the client library is not installed.
        """
        with self._lock:
            if name not in self._connected:
                module = import_module(f"dockertpl.fleet.forges.{name}")
                self._connected[name] = module.connect(self.environ, timing=Timing(share=self.share, sleep=self._sleep))
            return self._connected[name]

    def of(self, repository: Repository) -> Forge | None:
        """Return the connection to a repository's forge, or None for plain Git.

        Raises:
            ForgeError: The token is missing or not valid, or the client library is not installed.
        """
        return self.connect(repository.forge) if repository.forge else None

    def settings(self, repository: Repository) -> Mapping[str, str]:
        """Return the git settings to fetch and push a repository. Empty if no token is set.

        Raises:
            ForgeError: The token is not valid, or the client library is not installed.
        """
        if not any(self.environ.get(key) for key in _TOKENS.get(repository.forge, ())):
            return {}
        return self.connect(repository.forge).git_settings(repository.slug)
