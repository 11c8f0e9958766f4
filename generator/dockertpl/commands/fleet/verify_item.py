"""Builds and runs an image of the fleet before its branch is pushed: the one place where a repository's code is run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dockertpl.commands import verify
from dockertpl.template.answers import read_mapping

# Two builds beside each other take as long as one after the other, and time out more easily.
_one = threading.Lock()


def verified(folder: Path, answers_file: str, *, check: Callable[[], None]) -> Mapping[str, Any]:
    """Verify an image as `dockertpl verify --paths-only` does, and return the figures.

    Args:
        folder: The repository's files.
        answers_file: The image's answers file's name.
        check: Called when it is this image's turn; what it raises ends the wait.

    Raises:
        DockertplError: It did not build, or does not run as it must.
    """
    app_dir = str(read_mapping(folder / answers_file).get("app_dir") or ".")
    with _one:
        check()
        # A route may need a database, and that none is here is not the update's fault.
        return verify.plainly(folder, folder / app_dir / "Dockerfile", paths_only=True, quiet=True)
