"""What a known complaint in a log means, from data/hints.toml and data/libraries.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

_DATA = Path(__file__).parent / "data"

When = Literal["build", "run"]


class Hint(NamedTuple):
    """What to do about a complaint, and whether the machine, not the image, is at fault."""

    text: str
    lacks_machine: bool


def find(lines: Iterable[str], when: When, values: Mapping[str, str] | None = None) -> Hint | None:
    """Return the hint for the first known complaint in a log's last lines, or None.

    Args:
        lines: The log's last lines.
        when: What the log is of.
        values: What is known besides of the image, for fields of the hint.
    """
    text = "\n".join(lines)
    for entry in _hints():
        if when in entry["when"]:
            match = re.search(entry["pattern"], text, re.MULTILINE)
            if match:
                return Hint(_fill(entry["hint"], match, values or {}), entry.get("lacks") == "machine")
    return None


def package(library: str) -> str:
    """Say which Debian package carries the shared library of that name, as part of a sentence."""
    known = _libraries().get(library)
    if known is None:
        return "find its Debian package with `apt-file search`"
    if isinstance(known, str):
        return f"Debian's package is {known}"
    return "Debian's package is " + ", ".join(f"{name} in {release}" for release, name in sorted(known.items()))


def _fill(hint: str, match: re.Match[str], known: Mapping[str, str]) -> str:
    # Not str.format: what a log says may hold braces.
    values = {**known, **{name: value for name, value in match.groupdict().items() if value}}
    if "path" in values:
        values["dir"] = str(PurePosixPath(values["path"]).parent)
    if "library" in values:
        values["package"] = package(values["library"])
    return re.sub(r"\{(\w+)\}", lambda field: values.get(field[1], field[1]), hint.strip("\n"))


@cache
def _hints() -> list[dict[str, Any]]:
    hints: list[dict[str, Any]] = _load("hints.toml")["hint"]
    return hints


@cache
def _libraries() -> dict[str, str | dict[str, str]]:
    return _load("libraries.toml")


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_DATA / name).read_text(encoding="utf-8"))
