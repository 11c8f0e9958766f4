"""GitLab, through python-gitlab, which only a fleet there needs: nothing of it is imported before `connect`."""

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
    """Return GitLab with the account that the environment names. Nothing is asked yet; threads may share it.

    Args:
        environ: The environment.
        share: How many runs share the account's limits, such as the shards of a pipeline.
        clock: The time in seconds since 1970.
        sleep: Waits so many seconds; what it raises ends the wait.

    Raises:
        ForgeError: python-gitlab is not installed, or no account is named.
    """
    named = settings.read(environ)
    try:
        from dockertpl.fleet.forges.gitlab.forge import GitLab
    except ModuleNotFoundError as error:
        if error.name not in ("gitlab", "pyrate_limiter", "requests"):
            raise
        raise ForgeError(
            "Repositories on GitLab need python-gitlab, which is not installed.",
            "Install it: pip install 'dockertpl[gitlab]'",
        ) from error
    return GitLab(named, share=share, clock=clock, sleep=sleep)
