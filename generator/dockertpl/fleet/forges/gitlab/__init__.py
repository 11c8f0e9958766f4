"""GitLab through python-gitlab, an optional dependency. It is imported in `connect`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.forges.gitlab import settings


def connect(
    environ: Mapping[str, str],
    *,
    share: int = 1,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Forge:
    """Return GitLab with the account from the environment. Nothing is requested yet. Threads may share it.

    Args:
        environ: Environment variables.
        share: The number of runs that share the account's limits, such as the shards of a pipeline.
        clock: Returns the time in seconds since 1970.
        sleep: Waits some seconds. An exception ends the wait.

    Raises:
        ForgeError: python-gitlab is not installed, or no token is set.
    """
    named = settings.read(environ)
    try:
        from dockertpl.fleet.forges.gitlab.forge import GitLab
    except ModuleNotFoundError as error:
        if error.name not in ("gitlab", "pyrate_limiter", "requests"):
            raise
        raise ForgeError(
            "GitLab support needs python-gitlab, which is not installed.",
            "Install it: pip install 'dockertpl[gitlab]'",
        ) from error
    return GitLab(named, share=share, clock=clock, sleep=sleep)
