"""GitHub through PyGithub, an optional dependency. It is imported in `connect`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.forges.github import settings


def connect(
    environ: Mapping[str, str],
    *,
    share: int = 1,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Forge:
    """Return GitHub with the account from the environment. Nothing is requested yet. Threads may share it.

    Args:
        environ: Environment variables.
        share: The number of runs that share the account's limits, such as the shards of a matrix.
        clock: Returns the time in seconds since 1970.
        sleep: Waits some seconds. An exception ends the wait.

    Raises:
        ForgeError: PyGithub is not installed, or no token or App is set.
    """
    named = settings.read(environ)
    try:
        import github

        from dockertpl.fleet.forges.github.forge import GitHub
    except ModuleNotFoundError as error:
        if error.name not in ("github", "pyrate_limiter", "requests"):
            raise
        raise ForgeError(
            "GitHub support needs PyGithub, which is not installed.",
            "Install it: pip install 'dockertpl[github]'",
        ) from error
    # Keep its log messages off the screen.
    github.set_log_level(logging.WARNING)
    return GitHub(named, share=share, clock=clock, sleep=sleep)
