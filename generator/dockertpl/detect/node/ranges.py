"""The version ranges of npm, as far as they are needed here: comparators, ^, ~, x-ranges, hyphens and ||."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

Version: TypeAlias = tuple[int, int, int]

_LONGEST = 200
_END: Version = (10**9, 0, 0)
_PART = r"[vV=]*(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?(?:[-+][\w.+-]*)?"
_HYPHEN = re.compile(rf"\s*{_PART}\s+-\s+{_PART}\s*")
_COMPARATOR = re.compile(rf"(>=|<=|>|<|\^|~>?|=|)\s*{_PART}(?=\s|,|$)")


class Span(NamedTuple):
    """Versions from `low`, which is among them, to `high`, which is not."""

    low: Version
    high: Version


def version(text: str) -> Version | None:
    """Read a version, or the smallest version of a range's first comparator; None if there is none in it."""
    found = re.search(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?", text[:_LONGEST])
    return (int(found[1]), int(found[2] or 0), int(found[3] or 0)) if found else None


def spans(text: str) -> list[Span] | None:
    """Return the versions that a range allows; None if it is none that can be read."""
    if len(text) > _LONGEST:
        return None
    found = []
    for alternative in text.split("||"):
        span = _alternative(alternative)
        if span is None:
            return None
        found.append(span)
    return found


def allows(text: str, major: int) -> bool | None:
    """Tell whether a range allows some release of a major version; None if it cannot be read."""
    found = spans(text)
    if found is None:
        return None
    return any(span.low < (major + 1, 0, 0) and span.high > (major, 0, 0) and span.low < span.high for span in found)


def _alternative(text: str) -> Span | None:
    if hyphen := _HYPHEN.fullmatch(text):
        return Span(_low(hyphen.groups()[:3]), _above(hyphen.groups()[3:]))
    low, high, rest = (0, 0, 0), _END, text.replace(",", " ").strip()
    if rest in ("", "latest", "lts/*", "node"):
        return Span(low, high)
    for span in _comparators(rest):
        if span is None:
            return None
        low, high = max(low, span.low), min(high, span.high)
    return Span(low, high)


def _comparators(text: str) -> Iterator[Span | None]:
    at = 0
    while at < len(text):
        match = _COMPARATOR.match(text, at)
        if not match:
            yield None
            return
        yield _comparator(match[1], match.groups()[1:])
        at = match.end()
        while at < len(text) and text[at].isspace():
            at += 1


def _comparator(operator: str, parts: tuple[str | None, ...]) -> Span:
    low, above = _low(parts), _above(parts)
    zero: Version = (0, 0, 0)
    if low == zero and above == _END:
        return Span(zero, _END)
    match operator:
        case ">=":
            return Span(low, _END)
        case ">":
            return Span(above, _END)
        case "<":
            return Span(zero, low)
        case "<=":
            return Span(zero, above)
        case "^":
            if low[0] or not _is_number(parts[1]):
                return Span(low, (low[0] + 1, 0, 0))
            return Span(low, (0, low[1] + 1, 0)) if low[1] else Span(low, (0, 0, low[2] + 1))
        case "~" | "~>":
            return Span(low, (low[0], low[1] + 1, 0) if _is_number(parts[1]) else (low[0] + 1, 0, 0))
    return Span(low, above)


def _is_number(part: str | None) -> bool:
    return part is not None and part.isdigit()


def _numbers(parts: tuple[str | None, ...]) -> list[int]:
    """Return the numbers of a version up to the first that is missing or stands for any."""
    found = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        found.append(int(part))
    return found


def _low(parts: tuple[str | None, ...]) -> Version:
    major, minor, patch = [*_numbers(parts), 0, 0, 0][:3]
    return major, minor, patch


def _above(parts: tuple[str | None, ...]) -> Version:
    """Return the first version after those that a partial version stands for."""
    match _numbers(parts):
        case []:
            return _END
        case [major]:
            return major + 1, 0, 0
        case [major, minor]:
            return major, minor + 1, 0
        case [major, minor, patch, *_]:
            return major, minor, patch + 1
    return _END
