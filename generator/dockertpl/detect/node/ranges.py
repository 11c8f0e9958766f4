"""npm version ranges as spans of releases: `^18 || >=20` is 18.0.0 to 19.0.0, and 20.0.0 to the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

Version: TypeAlias = tuple[int, int, int]

_LONGEST = 200
_END: Version = (10**9, 0, 0)
_ANY = ("", "latest", "lts/*", "node")


class Span(NamedTuple):
    """Versions from `low`, which is included, to `high`, which is not."""

    low: Version
    high: Version


def version(text: str) -> Version | None:
    """Read a version, or the smallest version of a range's first comparator. None for other texts."""
    found = re.search(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?", text[:_LONGEST])
    return (int(found[1]), int(found[2] or 0), int(found[3] or 0)) if found else None


def spans(text: str) -> list[Span] | None:
    """Return the releases that a range allows; None if npm could not read it.

    A prerelease counts as its release, and a comma as a space.
    """
    if len(text) > _LONGEST:
        return None
    import nodesemver  # takes 60 ms; only needed when a range is stated

    alternatives = text.replace(",", " ").split("||")
    text = "||".join("*" if one.strip() in _ANY else one for one in alternatives)
    try:
        return [_span(comparators) for comparators in nodesemver.make_range(text, loose=False).set]
    except ValueError:
        return None


def allows(text: str, major: int) -> bool | None:
    """Return whether a range allows some release of a major version; None if it cannot be read."""
    found = spans(text)
    if found is None:
        return None
    return any(span.low < (major + 1, 0, 0) and span.high > (major, 0, 0) and span.low < span.high for span in found)


def _span(comparators: Sequence[Any]) -> Span:
    """Return the releases that pass all comparators, which node-semver reduces to =, <, <=, > and >=."""
    low, high = (0, 0, 0), _END
    for one in comparators:
        if not hasattr(one.semver, "major"):  # `*`
            continue
        at: Version = (one.semver.major, one.semver.minor, one.semver.patch)
        after = (*at[:2], at[2] + 1)
        if "<" not in one.operator:
            low = max(low, after if one.operator == ">" else at)
        if ">" not in one.operator:
            high = min(high, at if one.operator == "<" else after)
    return Span(low, high)
