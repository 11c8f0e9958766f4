"""Detect facts about a repository, each with its evidence. No code of the repository is run or imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Detection, Evidence, Fact, Unknown
from dockertpl.errors import NotDetectedError

__all__ = ["Detection", "Evidence", "Fact", "NotDetectedError", "Unknown", "detect", "look"]


def detect(root: Path, app_dir: str | None = None, given: Mapping[str, Any] | None = None) -> Detection:
    """Return the facts about the application in a repository.

    Args:
        root: The repository root.
        app_dir: The application's folder, relative to the root. None to search for it.
        given: Known answers. They are not detected again, so they cannot cause errors.

    Raises:
        NotDetectedError: No application was found, or several. The remedy has the option for each.
        BadInputError: A manifest or a lock is not valid. The message names file and line.
    """
    found, problem = look(root, app_dir, given)
    if problem:
        raise problem
    return found


def look(
    root: Path, app_dir: str | None = None, given: Mapping[str, Any] | None = None
) -> tuple[Detection, NotDetectedError | None]:
    """Work as `detect`, but return the facts even if the application was not found.

    Raises:
        BadInputError: A manifest or a lock is not valid.
    """
    from dockertpl.detect.choose_kind import look_for_kind

    return look_for_kind(root, app_dir, given or {})
