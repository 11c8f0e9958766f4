"""Turns what a person or a file gives into a value of a question's type, as Copier does where Copier takes it.

Stricter than Copier in three places, where it would take a slip for an answer: a bool that is neither yes nor no
(Copier: true), a whole number with a fraction (Copier: cut off), and text with characters that hide what it says.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import yaml

#: The types of a question that are understood.
TYPES = ("bool", "float", "int", "json", "path", "str", "yaml")

_TRUE = frozenset({"y", "yes", "t", "true", "on"})
_FALSE = frozenset({"", "n", "no", "f", "false", "off", "~", "null", "none"})
# Text that turns the direction of what follows it makes a line read as what it is not.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MOST_ITEMS = 10_000
_DEEPEST = 50


class WrongTypeError(ValueError):
    """A value that is not of its question's type; the message says what it is."""


def shown(value: Any) -> str:
    """Return a value as one short line for a message.

    Args:
        value: Anything.
    """
    text = value if isinstance(value, str) else repr(value)
    text = json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= 80 else f"{text[:77]}..."


def cast(type_name: str, value: Any) -> Any:
    """Return a value as its question's type; a text is read as `-d KEY=VALUE` gives it.

    Args:
        type_name: One of `TYPES`.
        value: A text, or a value that YAML or JSON gave.

    Raises:
        WrongTypeError: It cannot be one.
    """
    # Only JSON and YAML have a value for "none".
    if value is None and type_name not in {"json", "yaml"}:
        raise WrongTypeError(f"null is {_NOT[type_name]}")
    try:
        return _CASTS[type_name](value)
    except WrongTypeError:
        raise
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise WrongTypeError(f"{shown(value)} is {_NOT[type_name]}") from error


def check_inert(value: Any) -> None:
    """Refuse what no answer needs and no reader sees: control and direction characters, and bombs of aliases.

    Args:
        value: An answer, before or after its cast.

    Raises:
        WrongTypeError: It has such characters, is too big, too deep, or holds itself.
    """
    left = _MOST_ITEMS
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise WrongTypeError("it is too large, too deep, or holds itself")
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, Mapping):
            stack.extend((part, depth + 1) for pair in item.items() for part in pair)
        elif isinstance(item, list | tuple | set):
            stack.extend((part, depth + 1) for part in item)


def _check_text(text: str) -> None:
    for character in text:
        # Most are plain, and this runs for each.
        if " " <= character <= "~":
            continue
        if character in "\n\t" or (character not in _BIDI and unicodedata.category(character) not in {"Cc", "Cs"}):
            continue
        raise WrongTypeError(f"it holds the invisible character U+{ord(character):04X}")


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        return bool(float(word))
    if isinstance(value, bool | int | float):
        return bool(value)
    raise TypeError


def _int(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


def _float(value: Any) -> float:
    result = float(value)
    # "nan" differs from itself, so that no file with it would ever be up to date.
    if math.isnan(result):
        raise ValueError
    return result


def _str(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float | int):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return value.decode()
    raise TypeError


def _yaml(value: Any) -> Any:
    # What is not text was parsed already.
    if not isinstance(value, str | bytes):
        return value
    try:
        # The parser that Copier uses: the C one differs in corners.
        return yaml.safe_load(value)
    except (yaml.YAMLError, RecursionError) as error:
        raise WrongTypeError(f"{shown(value)} is no YAML ({_where(error)})") from error


def _json(value: Any) -> Any:
    if not isinstance(value, str | bytes):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise WrongTypeError(f"{shown(value)} is no JSON ({error})") from error


def _where(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem}, line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    if isinstance(error, RecursionError):
        return "too deep"
    return " ".join(str(error).split())


_NOT = {
    "bool": "neither yes nor no",
    "float": "no number",
    "int": "no whole number",
    "json": "no JSON",
    "path": "no path",
    "str": "no text",
    "yaml": "no YAML",
}
_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "bool": _bool,
    "float": _float,
    "int": _int,
    "json": _json,
    "path": str,
    "str": _str,
    "yaml": _yaml,
}
