"""Read a list of places, one on each line. `#` begins a comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dockertpl.errors import BadInputError


def read(path: Path) -> Iterator[str]:
    """Yield the places of a list in order.

    Raises:
        BadInputError: The file cannot be read, or is not UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", "Name a file that you can read.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{path} is not UTF-8 text.", "Write one folder, URL or github:OWNER on each line."
        ) from error
    for line in text.splitlines():
        place = line.split(" #", 1)[0].strip()
        if place and not place.startswith("#"):
            yield place
