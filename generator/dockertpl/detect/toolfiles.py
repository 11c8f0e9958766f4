"""Versions of tools that `.tool-versions` (asdf) and `mise.toml` name, with file and line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from dockertpl.detect.repository import Repository, join

_ASDF = re.compile(r"^[ \t]*(?P<name>[\w.:@/-]+)[ \t]+(?P<version>[^\s#]+)")
# `node = "24"`, `node = ["24", "22"]` and `node = { version = "24" }`: the first version counts.
_MISE = re.compile(
    r"^[ \t]*[\"']?(?P<name>[\w.:@/-]+)[\"']?[ \t]*=[ \t]*(?:\[|\{[^}\n]*?\bversion[ \t]*=)?[ \t]*"
    r"(?:[\"'](?P<version>[^\"'\n]+)[\"']|(?P<number>\d[\d.]*))"
)
_TABLE = re.compile(r"^[ \t]*\[+[ \t]*(?P<name>[^\]\n]+?)[ \t]*\]+")
_MISE_FILES = ("mise.toml", ".mise.toml", "mise/config.toml", ".mise/config.toml", ".config/mise.toml")
_MOST_LINES = 500


class Named(NamedTuple):
    """A version in a file: the text, the file and the line."""

    text: str
    path: str
    line: int


def versions_of(repository: Repository, folder: str, tools: Collection[str]) -> Iterator[Named]:
    """Yield a tool's versions in a folder's files, by precedence.

    Args:
        repository: The repository.
        folder: The folder, relative to the repository root.
        tools: The tool's names, such as `node` and `nodejs`.
    """
    path = join(folder, ".tool-versions")
    for number, line in _lines(repository, path):
        match = _ASDF.match(line)
        if match and match["name"] in tools:
            yield Named(match["version"], path, number)
    for name in _MISE_FILES:
        path, table = join(folder, name), ""
        for number, line in _lines(repository, path):
            if opened := _TABLE.match(line):
                table = opened["name"]
            elif (match := _MISE.match(line)) and _is_of(table, match["name"], tools):
                yield Named(match["version"] or match["number"], path, number)


def _is_of(table: str, key: str, tools: Collection[str]) -> bool:
    """Return whether a key in mise.toml is a tool's version: `node` of [tools], `version` of [tools.node]."""
    return (table == "tools" and key in tools) or (table in {f"tools.{tool}" for tool in tools} and key == "version")


def _lines(repository: Repository, path: str) -> Iterator[tuple[int, str]]:
    return enumerate((repository.text(path) or "").splitlines()[:_MOST_LINES], 1)
