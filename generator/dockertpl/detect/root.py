"""Where a repository begins."""

from __future__ import annotations

from pathlib import Path

from dockertpl.errors import DestinationError


def repository_root(path: Path, *, missing_ok: bool = False) -> tuple[Path, str | None]:
    """Return the root of the repository that `path` lies in, and `path` seen from there.

    Args:
        path: A folder. The root is the nearest folder at or above it that holds `.git`, or else the folder itself.
        missing_ok: Whether the folder may still have to be made.

    Returns:
        The root (absolute) and the relative path with slashes, None for the root itself.

    Raises:
        DestinationError: It is a file, cannot be read, belongs to git itself, or is not there and may not be missing.
    """
    try:
        folder = path.resolve()
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not there.is_dir():
            raise DestinationError(f"{there} is a file.", "Name a folder: the repository's root, or the application's.")
        if there != folder and not missing_ok:
            raise DestinationError(f"{path} does not exist.", "Name the folder of a repository.")
        root = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a link that leads to itself"
        raise DestinationError(f"{path} cannot be read: {reason}.", "Name a folder of yours.") from error
    if folder == root:
        return root, None
    inside = folder.relative_to(root)
    if ".git" in inside.parts:
        raise DestinationError(f"{path} belongs to git itself.", "Name the repository's root.")
    return root, inside.as_posix()
