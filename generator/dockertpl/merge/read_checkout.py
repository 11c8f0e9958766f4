"""Read a repository's files at the template's paths, without following links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from dockertpl import git
from dockertpl.errors import DestinationError
from dockertpl.merge.update import Obstacle
from dockertpl.template.tree import File

#: In bytes. No rendered file comes near it, and larger files are not read.
LARGEST = 1 << 20


def read(root: Path, paths: Iterable[str]) -> dict[str, File | Obstacle]:
    """Return the repository's files at some paths. Paths without a file are left out.

    Args:
        root: The repository's root.
        paths: Clean POSIX paths from there.

    Raises:
        DestinationError: A file cannot be read.
    """
    found = {path: _look(root, path) for path in paths}
    return {path: thing for path, thing in found.items() if thing is not None}


def read_checkout(root: Path, paths: Iterable[str]) -> dict[str, File | Obstacle]:
    """Return the repository's files at some paths as git sees them.

    A file that a sparse checkout leaves out is missing, but not deleted. Where the file system has no executable
    bits, git's are used.

    Args:
        root: The repository's root.
        paths: Clean POSIX paths from there.

    Raises:
        DestinationError: A file cannot be read.
        NoGitError: Git is missing, or cannot read the repository.
    """
    paths = list(paths)
    found = read(root, paths)
    absent = [path for path in paths if path not in found]
    if not git.has_modes(root):
        runs = git.executable(root, paths)
        found = {
            path: replace(thing, executable=path in runs) if isinstance(thing, File) else thing
            for path, thing in found.items()
        }
    return found | dict.fromkeys(git.left_out(root, absent), Obstacle(what="not checked out", unseen=True))


def _look(root: Path, path: str) -> File | Obstacle | None:
    parts = PurePosixPath(path).parts
    for depth in range(1, len(parts)):
        folder = PurePosixPath(*parts[:depth])
        try:
            mode = (root / folder).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(mode):
            return Obstacle(what=f"behind the link {folder}")
        if not stat.S_ISDIR(mode):
            return Obstacle(what=f"below {folder}, which is not a folder")
    try:
        there = (root / path).lstat()
        mode = there.st_mode
        if stat.S_ISREG(mode) and there.st_size > LARGEST:
            return Obstacle(what="larger than a mebibyte")
        if not stat.S_ISREG(mode):
            return Obstacle(
                what="a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a special file"
            )
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            return File(content=stream.read(), executable=bool(mode & stat.S_IXUSR))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DestinationError(f"{path} cannot be read: {error.strerror}.") from error
