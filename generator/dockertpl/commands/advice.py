"""Commands that a person is told to type."""

from __future__ import annotations

import os
import shlex
from pathlib import Path


def git_at(root: Path) -> str:
    """Return how git is called for a repository, with paths from its root, wherever the person is.

    Args:
        root: The repository's root.
    """
    try:
        here = Path.cwd()
    except OSError:
        # The folder is gone.
        return f"git -C {shlex.quote(str(root))}"
    if here == root:
        return "git"
    near = root.is_relative_to(here) or here.is_relative_to(root)
    return f"git -C {shlex.quote(os.path.relpath(root, here) if near else str(root))}"
