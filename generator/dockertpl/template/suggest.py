"""Suggests an answer that was probably intended. No suggestion is better than a wrong one."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBERED = re.compile(r"(?P<before>\D*)(?P<version>\d+(?:\.\d+)*)(?P<after>\D*)")
# Below this ratio of equal characters, or this length, two words only look alike by chance.
_CLOSE = 0.6
_SHORT = 4


def nearest(word: str, words: Sequence[str]) -> str:
    """Return " Did you mean X?" for the most similar word, or an empty text.

    Args:
        word: What was written.
        words: What is valid.
    """
    found = _contained(word, words) or _alike(word, words)
    return f" Did you mean {found}?" if found else ""


def choice(value: str, choices: Sequence[str]) -> str:
    """Return what is wrong with a value that is not one of the choices, and the choice to use if one is clear.

    A version is compared by its numbers: 3.9 is older than 3.10, and 22.11.0 is 22.

    Args:
        value: What was written.
    """
    versions = _versions_like(value, choices)
    if len(versions) < 2:
        return nearest(value, choices)
    wanted = _version(value)
    ordered = sorted(versions, key=versions.__getitem__)
    if same := [one for one in ordered if wanted[: len(versions[one])] == versions[one]]:
        return f" Did you mean {same[-1]}?"
    if any(one[: len(wanted)] == wanted for one in versions.values()):
        return ""  # 3 is any of 3.10 to 3.15
    if without_dots := [one for one in ordered if one.replace(".", "") == value.strip()]:
        return f" Did you mean {without_dots[0]}?"
    newer = [one for one in ordered if versions[one] > wanted]
    if not newer:
        return f" Choose {ordered[-1]} or older."
    return f" Choose {newer[0]} or newer." if newer == ordered else f" The next newer one is {newer[0]}."


def _versions_like(value: str, choices: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the versions of the choices that differ from a value only in the version, or nothing."""
    parts = _NUMBERED.fullmatch(value.strip().casefold().removeprefix("v"))
    if not parts:
        return {}
    found = {}
    for each in choices:
        others = _NUMBERED.fullmatch(each.casefold())
        if others and (others["before"], others["after"]) == (parts["before"], parts["after"]):
            found[each] = _version(each)
    return found


def _version(text: str) -> tuple[int, ...]:
    parts = _NUMBERED.fullmatch(text.strip().casefold().removeprefix("v"))
    return tuple(int(number) for number in parts["version"].split(".")) if parts else ()


def _contained(word: str, words: Sequence[str]) -> str:
    """Return the only word that contains a text or is in it, such as `arm64` for `linux/arm64`."""
    short = word.casefold()
    found = [one for one in words if one and short and (one.casefold() in short or short in one.casefold())]
    return found[0] if len(found) == 1 and len(short) > 1 and _numbers(word) == _numbers(found[0]) else ""


def _alike(word: str, words: Sequence[str]) -> str:
    """Return the word that is clearly closest, or an empty text if two are equally close."""
    if len(word) < _SHORT:
        return next((one for one in words if one.casefold() == word.casefold()), "")
    ratios = sorted(((_likeness(word.casefold(), one.casefold()), one) for one in words), reverse=True)
    if not ratios or ratios[0][0] < _CLOSE or (len(ratios) > 1 and ratios[0][0] == ratios[1][0]):
        return ""
    return ratios[0][1] if _numbers(word) == _numbers(ratios[0][1]) else ""


def _likeness(word: str, other: str) -> float:
    """Return how alike two words are. Of `debian:buster-slim`, each part between separators counts."""
    import difflib  # only an error needs it

    parts, others = (re.split(r"[^a-z0-9]+", each) for each in (word, other))
    pairs = list(zip(parts, others, strict=True)) if len(parts) == len(others) else [(word, other)]
    return min(difflib.SequenceMatcher(None, one, two).ratio() for one, two in pairs)


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)
