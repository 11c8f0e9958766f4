"""GitLab through python-gitlab, an optional dependency. It is imported in `connect`."""

from __future__ import annotations

from collections.abc import Mapping

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.forges.gitlab import settings
from dockertpl.fleet.forges.timing import REAL_TIME, Timing


def connect(
    environ: Mapping[str, str],
    *,
    timing: Timing = REAL_TIME,
) -> Forge:
    """Return GitLab with the account from the environment. Nothing is requested yet. Threads may share it.

    Args:
        environ: Environment variables.
        timing: The clock, and how many runs share the account's limits.

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
    return GitLab(named, timing=timing)
