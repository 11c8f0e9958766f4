"""What a repository is: every fact with its evidence. Nothing of the repository is run or imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Detection, Evidence, Fact, Unknown
from dockertpl.errors import NotDetectedError

__all__ = ["Detection", "Evidence", "Fact", "NotDetectedError", "Unknown", "detect", "look"]


def detect(root: Path, app_dir: str | None = None, given: Mapping[str, Any] | None = None) -> Detection:
    """Tell what is known of the one application in a repository.

    Args:
        root: The repository's root.
        app_dir: The application's folder, seen from the root; None to look for it.
        given: Answers that are known already. They are honoured and not repeated, and what they answer cannot fail.

    Raises:
        NotDetectedError: There is no application, or there are several; its advice names the flag for each.
        BadInputError: A manifest or a lock is not valid. The message names file and line.
    """
    found, problem = look(root, app_dir, given)
    if problem:
        raise problem
    return found


def look(
    root: Path, app_dir: str | None = None, given: Mapping[str, Any] | None = None
) -> tuple[Detection, NotDetectedError | None]:
    """Do as `detect` does, and return what is known even where the application was not found.

    Raises:
        BadInputError: A manifest or a lock is not valid.
    """
    from dockertpl.detect.choose_kind import look_for_kind

    return look_for_kind(root, app_dir, given or {})
