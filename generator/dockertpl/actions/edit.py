"""Checks of a user's configuration file before text is inserted."""

from __future__ import annotations

from pathlib import Path

from dockertpl.errors import DestinationError
from dockertpl.merge import plan
from dockertpl.template.tree import File

#: In bytes. A larger file was not written by hand, and takes long to parse.
LARGEST = 64 * 1024
#: Why a file is left as it is if a parser reads the result differently than intended.
UNCERTAIN = "is written in a way that cannot be edited with certainty"


class NotEditableError(Exception):
    """A file to leave as it is. The message says why, as the end of a sentence that starts with its path."""


def decoded(file: File) -> tuple[str, str]:
    """Return a file's byte-order mark, or an empty text, and the text after it.

    Raises:
        NotEditableError: The file is too large, or not UTF-8.
    """
    if len(file.content) > LARGEST:
        raise NotEditableError(f"is larger than {LARGEST // 1024} KiB")
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        raise NotEditableError("is not UTF-8 text") from None
    return ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)


def line_end(text: str) -> str:
    """Return the line break of a text."""
    return "\r\n" if "\r\n" in text else "\n"


def indentation(text: str, at: int) -> str:
    """Return the blanks at the start of a position's line."""
    start = text.rfind("\n", 0, at) + 1
    line = text[start:at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def read_file(root: Path, path: str) -> File | None:
    """Return a file that can be replaced, or None if it does not exist.

    Raises:
        NotEditableError: It is too large, a link or not a file, or its folder leads out of the repository.
    """
    try:
        if (root / path).lstat().st_size > LARGEST:
            raise NotEditableError(f"is larger than {LARGEST // 1024} KiB")
    except OSError:
        # The plan reports it.
        pass
    try:
        return plan.make(root, {path: File(content=b"")}).entries[0].old
    except DestinationError as error:
        raise NotEditableError(f"cannot be written: {error.message.rstrip('.')}") from None
