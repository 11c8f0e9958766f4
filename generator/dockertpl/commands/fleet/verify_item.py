"""Build and run an image of the fleet before its branch is pushed. Only here does a repository's code run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dockertpl.commands import verify
from dockertpl.template.answers import read_mapping

# Two builds at the same time take as long as one after the other, and time out more easily.
_one = threading.Lock()


def verified(folder: Path, answers_file: str, *, check: Callable[[], None]) -> Mapping[str, Any]:
    """Verify an image as `dockertpl verify --paths-only` does, and return the figures.

    Args:
        folder: The repository's files.
        answers_file: The name of the image's answers file.
        check: Called before this image's turn. If it raises, the wait ends.

    Raises:
        DockertplError: The image did not build or does not pass.
    """
    app_dir = str(read_mapping(folder / answers_file).get("app_dir") or ".")
    with _one:
        check()
        # A route may need a database. That it is missing here is not the update's fault.
        return verify.plainly(folder, folder / app_dir / "Dockerfile", paths_only=True, quiet=True)
