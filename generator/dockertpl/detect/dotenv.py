"""Example files of environment variables, such as `.env.example`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from dockertpl.detect.repository import Repository, join

#: The names of example files, the likeliest first.
NAMES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", "example.env", "sample.env")
_LINE = re.compile(
    r"""[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\n]*))"""
)
_MOST = 500


def parse(text: str) -> dict[str, str]:
    """Return the variables in an example file's text."""
    found: dict[str, str] = {}
    for line in text.splitlines()[:_MOST]:
        if match := _LINE.match(line):
            name, double, single, bare = match.groups()
            quoted = double if double is not None else single
            found[name] = quoted if quoted is not None else re.sub(r"(?:^|\s)#.*", "", bare).strip()
    return found


def read(file: Path) -> dict[str, str]:
    """Return the variables of an example file. Empty if it cannot be read."""
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            return parse(stream.read(1 << 16))
    except OSError:
        return {}


def find_example(repository: Repository, folders: tuple[str, ...]) -> tuple[str, Mapping[str, str]]:
    """Return the first example file in some folders with its variables. The path is empty if none exists."""
    for folder in dict.fromkeys(folders):
        for name in NAMES:
            path = join(folder, name)
            if text := repository.text(path):
                return path, parse(text)
    return "", {}
