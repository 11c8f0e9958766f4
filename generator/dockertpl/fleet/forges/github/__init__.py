"""GitHub, through PyGithub, which only a fleet there needs: nothing of it is imported before `connect`."""

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
    """Return GitHub with the account that the environment names. Nothing is asked yet; threads may share it.

    Args:
        environ: The environment.
        share: How many runs share the account's limits, such as the shards of a matrix.
        clock: The time in seconds since 1970.
        sleep: Waits so many seconds; what it raises ends the wait.

    Raises:
        ForgeError: PyGithub is not installed, or no account is named.
    """
    named = settings.read(environ)
    try:
        import github

        from dockertpl.fleet.forges.github.forge import GitHub
    except ModuleNotFoundError as error:
        if error.name not in ("github", "pyrate_limiter", "requests"):
            raise
        raise ForgeError(
            "Repositories on GitHub need PyGithub, which is not installed.",
            "Install it: pip install 'dockertpl[github]'",
        ) from error
    # It prints what it does, into the middle of whatever is on the screen.
    github.set_log_level(logging.WARNING)
    return GitHub(named, share=share, clock=clock, sleep=sleep)
