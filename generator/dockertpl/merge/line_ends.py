"""Line ends. Those of a whole file are not an edit, because git may change them at a checkout."""

from __future__ import annotations

from dataclasses import replace

from dockertpl.template.tree import File


def with_ends_of(file: File, other: File) -> File:
    """Return a file with another's line ends, if each of the two has a single kind. Otherwise return it as it is."""
    has, wanted = _ends(file.content), _ends(other.content)
    if not has or not wanted or has == wanted:
        return file
    return replace(file, content=file.content.replace(has, wanted))


def is_same(file: File, other: File) -> bool:
    """Return whether two files are equal except for the kind of their line ends."""
    return file == other or with_ends_of(file, other) == other


def _ends(content: bytes) -> bytes:
    """Return the only kind of line end in a text, or an empty one."""
    crlf, total = content.count(b"\r\n"), content.count(b"\n")
    if not total or b"\0" in content or crlf not in (0, total):
        return b""
    return b"\r\n" if crlf else b"\n"
