"""Files in memory: the result of a rendering, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True)
class File:
    """A rendered file.

    Attributes:
        content: Its bytes.
        executable: Whether it gets the executable bits.
    """

    content: bytes
    executable: bool = False


#: Rendered files by their POSIX path, relative to the repository root. No path is absolute or has an empty, `.` or
#: `..` part, and the paths are sorted.
Tree: TypeAlias = Mapping[str, File]
