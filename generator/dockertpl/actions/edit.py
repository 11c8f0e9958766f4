"""What there is to know of a configuration file that a person keeps before text is put into it."""

from __future__ import annotations

from pathlib import Path

from dockertpl.errors import DestinationError
from dockertpl.merge import plan
from dockertpl.template.tree import File

#: Configuration is written by hand. What is larger was not, and would take its parser long. In bytes.
LARGEST = 64 * 1024
#: Why a file is left alone whose result a parser reads differently than was meant.
UNCERTAIN = "is written in a way that cannot be edited with certainty"


class NotEditableError(Exception):
    """A file that is left alone; the message says why, as the end of a sentence that starts with its path."""


def decoded(file: File) -> tuple[str, str]:
    """Return a file's byte-order mark, or nothing, and its text behind that.

    Args:
        file: The file.

    Raises:
        NotEditableError: It is too large, or no UTF-8.
    """
    if len(file.content) > LARGEST:
        raise NotEditableError(f"is larger than {LARGEST // 1024} KiB")
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        raise NotEditableError("is no UTF-8 text") from None
    return ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)


def line_end(text: str) -> str:
    """Return how the lines of a text end.

    Args:
        text: The text.
    """
    return "\r\n" if "\r\n" in text else "\n"


def indentation(text: str, at: int) -> str:
    """Return the blanks that a place's line starts with.

    Args:
        text: The text.
        at: The place.
    """
    start = text.rfind("\n", 0, at) + 1
    line = text[start:at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def read_file(root: Path, path: str) -> File | None:
    """Return a file that can be replaced, or None if nothing is there.

    Args:
        root: The repository's root.
        path: The file's path from there.

    Raises:
        NotEditableError: It is too large, a link or no file, or its folder leads out of the repository.
    """
    try:
        if (root / path).lstat().st_size > LARGEST:
            raise NotEditableError(f"is larger than {LARGEST // 1024} KiB")
    except OSError:
        # The plan finds the words for it.
        pass
    try:
        return plan.make(root, {path: File(content=b"")}).entries[0].old
    except DestinationError as error:
        raise NotEditableError(f"cannot be written: {error.message.rstrip('.')}") from None
