"""Convert the input of a user or a file to a question's type, as Copier does.

It is stricter than Copier in three places, where Copier would accept a mistake. A bool must mean yes or no (Copier:
true). A whole number must not have a fraction (Copier: cut off). Text must not have invisible characters.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import yaml

#: The supported types of a question.
TYPES = ("bool", "float", "int", "json", "path", "str", "yaml")

_TRUE = frozenset({"y", "yes", "t", "true", "on"})
_FALSE = frozenset({"", "n", "no", "f", "false", "off", "~", "null", "none"})
# Characters that change the direction of text can make a line look like something else.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MOST_ITEMS = 10_000
_DEEPEST = 50


class WrongTypeError(ValueError):
    """A value has another type than its question. The message says so."""


def shown(value: Any) -> str:
    """Return a value as one short line for a message."""
    text = value if isinstance(value, str) else repr(value)
    text = json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= 80 else f"{text[:77]}..."


def cast(type_name: str, value: Any) -> Any:
    """Return a value in its question's type. A text is parsed like that of `-d KEY=VALUE`.

    Raises:
        WrongTypeError: The value cannot be converted.
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
    """Refuse control and direction characters, and values that grow through YAML aliases.

    Args:
        value: An answer, before or after its cast.

    Raises:
        WrongTypeError: It has such characters, is too large or too deep, or contains itself.
    """
    left = _MOST_ITEMS
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise WrongTypeError("it is too large, too deep, or contains itself")
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, Mapping):
            stack.extend((part, depth + 1) for pair in item.items() for part in pair)
        elif isinstance(item, list | tuple | set):
            stack.extend((part, depth + 1) for part in item)


def _check_text(text: str) -> None:
    for character in text:
        # A fast path, because most characters are plain.
        if " " <= character <= "~":
            continue
        if character in "\n\t" or (character not in _BIDI and unicodedata.category(character) not in {"Cc", "Cs"}):
            continue
        raise WrongTypeError(f"it contains the invisible character U+{ord(character):04X}")


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
    # "nan" differs from itself, so a file with it would never be up to date.
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
    # Other values are parsed already.
    if not isinstance(value, str | bytes):
        return value
    try:
        # Copier uses this parser. The C one differs in corner cases.
        return yaml.safe_load(value)
    except (yaml.YAMLError, RecursionError) as error:
        raise WrongTypeError(f"{shown(value)} is not valid YAML ({_where(error)})") from error


def _json(value: Any) -> Any:
    if not isinstance(value, str | bytes):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise WrongTypeError(f"{shown(value)} is not valid JSON ({error})") from error


def _where(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem}, line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    if isinstance(error, RecursionError):
        return "too deep"
    return " ".join(str(error).split())


_NOT = {
    "bool": "neither yes nor no",
    "float": "not a number",
    "int": "not a whole number",
    "json": "not valid JSON",
    "path": "not a path",
    "str": "not a text",
    "yaml": "not valid YAML",
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
