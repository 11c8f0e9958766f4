"""Find repositories in a folder on this machine. Links are not followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dockertpl.errors import BadInputError
from dockertpl.fleet.model import Repository

#: Deep enough for nested groups of GitLab.
_DEEPEST = 6


def find(folder: Path) -> Iterator[Repository]:
    """Yield a folder's repositories in the order of their paths. Folders inside a repository are not searched.

    Raises:
        BadInputError: The folder cannot be read.
    """
    yield from _below(folder, 0)


def _below(folder: Path, depth: int) -> Iterator[Repository]:
    if _is_repository(folder):
        # A template may use the last part as the folder's name.
        unnamed = folder.name in ("", "..")
        yield Repository(key=folder.resolve().name if unnamed else folder.as_posix(), location=str(folder))
        return
    if depth == _DEEPEST:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        if depth:
            return
        raise BadInputError(
            f"{folder} cannot be read: {error.strerror}.", "Name a folder that you can read."
        ) from error
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and (not entry.name.startswith(".") or entry.name.endswith(".git")):
            yield from _below(Path(entry.path), depth + 1)


def _is_repository(folder: Path) -> bool:
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return bare or (folder / ".git").exists()
