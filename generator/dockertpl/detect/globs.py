"""The patterns with which a workspace names its members."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

_MOST_PARTS = 20


def matches(folder: str, patterns: Sequence[str]) -> bool:
    """Tell whether a relative folder is one that a pattern names (`packages/*`, `apps/**`).

    Args:
        folder: The folder, with slashes.
        patterns: The patterns; one with more than 20 parts names nothing.
    """
    parts = folder.split("/")
    wanted = ([part for part in pattern.split("/") if part not in ("", ".")] for pattern in patterns)
    return any(_match(parts, pattern) for pattern in wanted if len(pattern) <= _MOST_PARTS)


def _match(parts: list[str], pattern: list[str]) -> bool:
    """Match a path part by part; `**` stands for any number of parts."""
    if not pattern or not parts:
        return not parts and all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return _match(parts[1:], pattern) or _match(parts, pattern[1:])
    return fnmatchcase(parts[0], pattern[0]) and _match(parts[1:], pattern[1:])
