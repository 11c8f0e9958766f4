"""The patterns for a workspace's members."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

_MOST_PARTS = 20


def matches(folder: str, patterns: Sequence[str]) -> bool:
    """Return whether a relative folder matches a pattern (`packages/*`, `apps/**`).

    A pattern with more than 20 parts matches nothing.
    """
    parts = folder.split("/")
    wanted = ([part for part in pattern.split("/") if part not in ("", ".")] for pattern in patterns)
    return any(_match(parts, pattern) for pattern in wanted if len(pattern) <= _MOST_PARTS)


def _match(parts: list[str], pattern: list[str]) -> bool:
    """Match a path part by part. `**` matches any number of parts."""
    if not pattern or not parts:
        return not parts and all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return _match(parts[1:], pattern) or _match(parts, pattern[1:])
    return fnmatchcase(parts[0], pattern[0]) and _match(parts[1:], pattern[1:])
