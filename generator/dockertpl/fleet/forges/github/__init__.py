"""GitHub through PyGithub, an optional dependency. It is imported in `connect`."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.forges.github import settings
from dockertpl.fleet.forges.timing import REAL_TIME, Timing


def connect(
    environ: Mapping[str, str],
    *,
    timing: Timing = REAL_TIME,
) -> Forge:
    """Return GitHub with the account from the environment. Nothing is requested yet. Threads may share it.

    Args:
        environ: Environment variables.
        timing: The clock, and how many runs share the account's limits.

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
    return GitHub(named, timing=timing)
