"""JSON with the lines of keys and errors."""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


class JsonError(ValueError):
    """A text is not JSON: the reason, and the line if it is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def load_json(text: str) -> Any:
    """Parse JSON.

    Raises:
        JsonError: It is not valid JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise JsonError(error.msg, error.lineno) from None
    except ValueError as error:  # a number with thousands of digits
        raise JsonError(str(error).partition(";")[0]) from None
    except RecursionError:
        raise JsonError("it is nested too deeply") from None


def json_line(text: str, *keys: str) -> int | None:
    """Return the line of a key in valid JSON, or None. The path of keys must not lead through a list."""
    path: list[str | None] = []
    key: str | None = None
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word in "{[":
            path.append(key)
            key = None
        elif word in "}]":
            key = path.pop() if path else None
        elif word == ",":
            key = None
        elif word[0] == '"' and key is None and path and re.compile(r"\s*:").match(text, match.end()):
            key = _name(word)
            if key == keys[-1] and tuple(path[1:]) == keys[:-1]:
                return text.count("\n", 0, match.start()) + 1
    return None


def _name(word: str) -> str:
    try:
        return str(json.loads(word))
    except ValueError:
        return word[1:-1]
