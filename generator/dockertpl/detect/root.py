"""Find the root of a repository."""

from __future__ import annotations

from pathlib import Path

from dockertpl.errors import DestinationError


def repository_root(path: Path, *, missing_ok: bool = False) -> tuple[Path, str | None]:
    """Return the root of a folder's repository, and the folder relative to it.

    Args:
        path: The folder. The root is the nearest folder at or above it with `.git`, or the folder itself.
        missing_ok: Whether the folder may be missing.

    Returns:
        The root (absolute) and the relative path with slashes, None for the root itself.

    Raises:
        DestinationError: It is a file, cannot be read, belongs to git, or is missing and `missing_ok` is not set.
    """
    try:
        folder = path.resolve()
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not there.is_dir():
            raise DestinationError(
                f"{there} is a file.", "Name a folder: the repository root or the application's folder."
            )
        if there != folder and not missing_ok:
            raise DestinationError(f"{path} does not exist.", "Name the folder of a repository.")
        root = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a link that leads to itself"
        raise DestinationError(f"{path} cannot be read: {reason}.", "Name a folder that you can read.") from error
    if folder == root:
        return root, None
    inside = folder.relative_to(root)
    if ".git" in inside.parts:
        raise DestinationError(f"{path} belongs to git.", "Name the repository root.")
    return root, inside.as_posix()
