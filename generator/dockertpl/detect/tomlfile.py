"""TOML with the lines of keys and errors."""

from __future__ import annotations

import re
import tomllib
from typing import Any


class TomlError(ValueError):
    """A text is not TOML: the reason, and the line if it is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def load_toml(text: str) -> dict[str, Any]:
    """Parse TOML, also with inline tables over several lines (TOML 1.1), which uv reads and tomllib does not.

    Raises:
        TomlError: It is not valid TOML, or nested too deeply.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number with thousands of digits
        try:
            return tomllib.loads(_joined_tables(text))
        except (ValueError, RecursionError):
            raise _located(str(error)) from None
    except RecursionError:
        raise TomlError("it is nested too deeply") from None


def _located(problem: str) -> TomlError:
    found = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", problem)
    if not found:
        return TomlError(problem)
    return TomlError(problem[: found.start()], int(found[1]) if found[1] else None)


def _joined_tables(text: str) -> str:
    """Join inline tables of several lines, without trailing commas."""
    depth = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal depth
        part = match[0]
        if part == "{":
            depth += 1
        elif part.endswith("}"):
            depth -= 1
            return "}"
        elif depth > 0 and (part.startswith("#") or part.isspace()):
            return " "
        return part

    parts = r"""\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|\{|(?:,\s*)?\}|\n"""
    return re.sub(parts, replace, text)


def line_of(text: str, pattern: str) -> int | None:
    """Return the line, from 1, of the first match of a regular expression (`^` and `$` match at lines)."""
    match = re.search(pattern, text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else None


def toml_line(text: str, *keys: str) -> int | None:
    """Return the line of a TOML key, or of the nearest table above or below it."""
    table: tuple[str, ...] = ()
    best: tuple[int, int | None] = (0, None)
    for number, line in enumerate(text.splitlines(), 1):
        if "=" not in line and "[" not in line:
            continue
        if header := re.match(r"\s*\[{1,2}([^\[\]]+)\]", line):
            table = path = _path(header[1])
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            path = table + _path(key[1])
        else:
            continue
        same = len(path) if path == keys[: len(path)] else len(keys) if path[: len(keys)] == keys else 0
        if same > best[0]:
            best = same, number
    return best[1]


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
