"""Reads a list of places: one a line, `#` begins a comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dockertpl.errors import BadInputError


def read(path: Path) -> Iterator[str]:
    """Yield the places of a list, in its order.

    Args:
        path: The file.

    Raises:
        BadInputError: It cannot be read or is no text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", "Name a file of yours.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is no UTF-8 text.", "Write one folder, URL or github:OWNER a line.") from error
    for line in text.splitlines():
        place = line.split(" #", 1)[0].strip()
        if place and not place.startswith("#"):
            yield place
