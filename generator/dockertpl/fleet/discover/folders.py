"""Finds repositories in a folder of this machine, following no link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dockertpl.errors import BadInputError
from dockertpl.fleet.model import Repository

#: As deep as forges nest groups that anybody keeps in folders.
_DEEPEST = 6


def find(folder: Path) -> Iterator[Repository]:
    """Yield a folder's repositories in the order of their paths; of one that is found, what lies in it is not searched.

    Args:
        folder: A repository, or a folder of them.

    Raises:
        BadInputError: The folder cannot be read.
    """
    yield from _below(folder, 0)


def _below(folder: Path, depth: int) -> Iterator[Repository]:
    if _is_repository(folder):
        # Its last part is the folder's name to a template.
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
        raise BadInputError(f"{folder} cannot be read: {error.strerror}.", "Name a folder of yours.") from error
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and (not entry.name.startswith(".") or entry.name.endswith(".git")):
            yield from _below(Path(entry.path), depth + 1)


def _is_repository(folder: Path) -> bool:
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return bare or (folder / ".git").exists()
