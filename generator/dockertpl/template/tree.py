"""Files in memory: what a template renders to, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True)
class File:
    """One rendered file.

    Attributes:
        content: Its bytes.
        executable: Whether it is written with the executable bits.
    """

    content: bytes
    executable: bool = False


#: Rendered files by their POSIX path, seen from the repository's root. No path is absolute or has an empty, `.` or
#: `..` part, and the paths are sorted.
Tree: TypeAlias = Mapping[str, File]
