"""Read a Dockerfile without Moby's parser, for platforms without its wheel. The result is the same.

A test compares both readers. Moby's documentation of the format is the reference:
https://docs.docker.com/reference/dockerfile/#format
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_LISTS = frozenset(["FROM", "EXPOSE"])
_WHOLE = frozenset(["USER", "WORKDIR", "MAINTAINER", "STOPSIGNAL"])
_COMMANDS = frozenset(["RUN", "CMD", "ENTRYPOINT", "SHELL"])
_PATHS = frozenset(["COPY", "ADD", "VOLUME"])
_HEREDOCS = frozenset(["RUN", "COPY", "ADD"])
_HEREDOC = re.compile(r"\d*<<(?P<tabs>-?)(?P<name>[^<]*)")
_DIRECTIVE = re.compile(r"\s*#\s*(?P<name>[A-Za-z][A-Za-z0-9]*)\s*=\s*(?P<value>\S.*?)\s*")
_COMMENT = re.compile(r"[ \t]*#")


class GoParseError(ValueError):
    """Docker cannot parse the text."""


class Heredoc(NamedTuple):
    """The lines of a heredoc."""

    content: str


class Command(NamedTuple):
    """One instruction, with the fields that Moby's reader gives it."""

    cmd: str
    sub_cmd: str | None
    json: bool
    start_line: int
    end_line: int
    flags: tuple[str, ...]
    value: tuple[str, ...]
    heredocs: tuple[Heredoc, ...]


def parse_string(text: str) -> tuple[Command, ...]:
    """Read a Dockerfile.

    Args:
        text: The Dockerfile.

    Raises:
        GoParseError: The file has no instruction, a heredoc does not end, or ENV or LABEL lacks a value.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    continues = re.compile(rf"(?:(?<=[^{_escape(lines)}])|^){_escape(lines)}[ \t]*$")
    found = []
    at = 0
    while at < len(lines):
        if not lines[at].strip() or _COMMENT.match(lines[at]):
            at += 1
            continue
        start = at
        parts, at = _joined(lines, at, continues)
        name, sub, words = _instruction("".join(parts).strip())
        bodies: list[Heredoc] = []
        if (sub or name).upper() in _HEREDOCS:
            for tabs, end in _heredocs(words):
                body, at = _body(lines, at, end, tabs=tabs)
                bodies.append(Heredoc(body))
        flags, rest = _flags(words)
        value, is_json = _value((sub or name).upper(), rest)
        found.append(Command(name, sub, is_json, start + 1, at, () if sub else flags, value, tuple(bodies)))
    if not found:
        raise GoParseError("file with no instructions")
    return tuple(found)


def _escape(lines: list[str]) -> str:
    """Return the character that continues a line, as a regular expression."""
    for line in lines:
        directive = _DIRECTIVE.fullmatch(line)
        if not directive:
            break
        if directive["name"].lower() == "escape":
            return re.escape(directive["value"][0])
    return r"\\"


def _joined(lines: list[str], at: int, continues: re.Pattern[str]) -> tuple[list[str], int]:
    """Return the parts of an instruction without its comments and empty lines, and the line after it."""
    parts: list[str] = []
    end = at
    while at < len(lines):
        line = lines[at]
        at += 1
        if parts and (not line.strip() or _COMMENT.match(line)):
            continue
        end = at
        match = continues.search(line)
        parts.append(line[: match.start()] if match else line)
        if not match:
            break
    else:
        end = len(lines) - (not lines[-1])
    return parts, end


def _instruction(line: str) -> tuple[str, str | None, str]:
    name, _, rest = line.partition(" ") if "\t" not in line.split(" ", 1)[0] else line.partition("\t")
    rest = rest.strip()
    if name.upper() != "ONBUILD" or not rest:
        return name, None, rest
    inner, _, rest = rest.partition(" ")
    return name, inner, rest.strip()


def _words(text: str) -> Iterator[str]:
    """Yield words with their quotes and backslashes. Quoted spaces don't split a word."""
    for match in re.finditer(r"(?:[^\s\"'\\]|\\.|\\$|\"(?:[^\"\\]|\\.)*(?:\"|\\?$)|'[^']*(?:'|$))+", text):
        yield match[0]


def _heredocs(text: str) -> list[tuple[bool, str]]:
    """Return an instruction's heredocs: whether leading tabs are removed, and the end word."""
    if "<<" not in text:
        return []
    matches = (_HEREDOC.fullmatch(word) for word in _words(text))
    found = ((match["tabs"] == "-", re.sub(r"[\"'\\]", "", match["name"])) for match in matches if match)
    return [(tabs, name) for tabs, name in found if name]


def _body(lines: list[str], at: int, end: str, *, tabs: bool) -> tuple[str, int]:
    for number in range(at, len(lines)):
        line = lines[number]
        if (line.lstrip("\t") if tabs else line) == end:
            return "".join(f"{one}\n" for one in lines[at:number]), number + 1
    raise GoParseError("unterminated heredoc")


def _flags(text: str) -> tuple[tuple[str, ...], str]:
    found: list[str] = []
    while text.startswith("--"):
        word = next(_words(text))
        if word == "--":
            return tuple(found), text[2:].strip()
        found.append(re.sub(r"\\(.)|[\"']", r"\1", word))
        text = text[len(word) :].lstrip()
    return tuple(found), text


def _value(name: str, text: str) -> tuple[tuple[str, ...], bool]:
    """Return the words after an instruction's flags, and whether they are a JSON list."""
    if name == "HEALTHCHECK":
        kind, _, rest = text.partition(" ")
        value, is_json = _value("CMD", rest.strip())
        return ((kind, *value) if kind else ()), is_json
    if name in _COMMANDS | _PATHS and (listed := _json(text)) is not None:
        return listed, True
    if name in ("ENV", "LABEL"):
        return _pairs(name, text), False
    if name == "ARG":
        return tuple(_words(text)), False
    if name in _LISTS | _PATHS:
        return tuple(text.split()), False
    if name in _COMMANDS | _WHOLE:
        return ((text,) if text else ()), False
    return (("",) if name != "ONBUILD" else ()), False


def _json(text: str) -> tuple[str, ...] | None:
    if not text.startswith("["):
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return tuple(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


def _pairs(name: str, text: str) -> tuple[str, ...]:
    words = list(_words(text))
    if not words:
        return ()
    if "=" not in words[0]:
        # The old form: one name, and the rest of the line.
        key, *rest = re.split(r"\s+", text, maxsplit=1)
        if not rest:
            raise GoParseError(f"{name} must have two arguments")
        return (key, rest[0])
    found: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise GoParseError(f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value')
        found += [key, value]
    return tuple(found)
