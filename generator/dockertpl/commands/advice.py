"""Commands to show in messages."""

from __future__ import annotations

import os
import shlex
from pathlib import Path


def git_at(root: Path) -> str:
    """Return how to call git for a repository, with paths relative to its root, from the current directory."""
    try:
        here = Path.cwd()
    except OSError:
        # The folder is gone.
        return f"git -C {shlex.quote(str(root))}"
    if here == root:
        return "git"
    near = root.is_relative_to(here) or here.is_relative_to(root)
    return f"git -C {shlex.quote(os.path.relpath(root, here) if near else str(root))}"
