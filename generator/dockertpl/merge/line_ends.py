"""Line ends: those of a whole file are no edit of a person's, as git may have written them at a checkout."""

from __future__ import annotations

from dataclasses import replace

from dockertpl.template.tree import File


def with_ends_of(file: File, other: File) -> File:
    """Return a file with another's line ends, if both have line ends of one kind each; else as it is.

    Args:
        file: The file.
        other: The one whose line ends it is to have.
    """
    has, wanted = _ends(file.content), _ends(other.content)
    if not has or not wanted or has == wanted:
        return file
    return replace(file, content=file.content.replace(has, wanted))


def is_same(file: File, other: File) -> bool:
    """Tell whether two files differ in the kind of their line ends, or not at all.

    Args:
        file: One.
        other: The other.
    """
    return file == other or with_ends_of(file, other) == other


def _ends(content: bytes) -> bytes:
    """Return the one kind of line end that a text has, or nothing."""
    crlf, total = content.count(b"\r\n"), content.count(b"\n")
    if not total or b"\0" in content or crlf not in (0, total):
        return b""
    return b"\r\n" if crlf else b"\n"
