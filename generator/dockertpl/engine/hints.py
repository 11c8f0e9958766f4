"""Advice for known errors in a log, from data/hints.toml and data/libraries.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

_DATA = Path(__file__).parent / "data"

# pydantic's error for a field without a value.
_MISSING_FIELD = re.compile(r"^(\w+)\n[ ]+Field required", re.MULTILINE)

When = Literal["build", "run"]


class Hint(NamedTuple):
    """Advice for an error.

    Attributes:
        text: The advice.
        lacks_machine: Whether the machine, not the image, causes the error.
        missing: The missing file or folder, as the log names it, or an empty string.
        lacks_setting: Whether a variable is missing.
        rule: The kind of problem if it counts in a healthy container, too. Empty otherwise.
    """

    text: str
    lacks_machine: bool = False
    missing: str = ""
    lacks_setting: bool = False
    rule: str = ""


def find(
    lines: Iterable[str], when: When, values: Mapping[str, str] | None = None, workdir: str = "/app"
) -> Hint | None:
    """Return the hint for the first known error in a log, or None.

    Args:
        lines: The log's last lines.
        when: Whether it is the log of a build or a run.
        values: Further values for fields of the hint.
        workdir: The base folder of relative paths in the log.
    """
    text = "\n".join(lines)
    for entry in _hints():
        if when in entry["when"]:
            match = re.search(entry["pattern"], text, re.MULTILINE)
            if match:
                lacks = entry.get("lacks")
                missing = _missing(match) if entry.get("about") == "missing" else ""
                advice = _with_fields(_advice(entry, match, text, values or {}, workdir), text)
                return Hint(advice, lacks == "machine", missing, lacks == "setting", entry.get("rule", ""))
    return None


def _advice(entry: dict[str, Any], match: re.Match[str], text: str, known: Mapping[str, str], workdir: str) -> str:
    if entry.get("about") != "write":
        # A pattern may have several groups for a field: name, name2, name3.
        said = {name.rstrip("0123456789"): value for name, value in match.groupdict().items() if value}
        return _fill(entry["hint"], {**known, **said})
    written = _first(match)
    if not written:
        return _fill(entry["elsewhere"], {})
    place = PurePosixPath(workdir, written)
    # In a traceback the last frame shows the call. Otherwise the line itself does.
    before = text[: match.start()]
    frame = text[max(before.rfind('File "'), before.rfind("\n") if 'File "' not in before else 0, 0) : match.end()]
    folder = place if re.search(r"\bmkdir\b|\bmakedirs\b", frame) else place.parent
    code = [PurePosixPath(path) for path in (workdir, *re.findall(r'File "(/[^"]+\.py)"', text))]
    inside = place.is_relative_to(workdir)
    values = {"path": str(place), "dir": str(folder)}
    if not any(path.is_relative_to(folder) for path in code):
        name = folder.relative_to(workdir) if inside else folder
        return _fill(entry["hint"], {**values, "name": str(name)})
    # A tmpfs or a volume there would hide the code.
    if inside and folder != place:
        return _fill(entry["beside"], {**values, "name": str(place.relative_to(workdir))})
    return _fill(entry["elsewhere"], values)


def package(library: str) -> str:
    """Return the Debian package of a shared library, as a part of a sentence."""
    known = _libraries().get(library)
    if known is None:
        return "find its Debian package with `apt-file search`"
    if isinstance(known, str):
        return f"its Debian package is {known}"
    return "its Debian package is " + ", ".join(f"{name} in {release}" for release, name in sorted(known.items()))


def _missing(match: re.Match[str]) -> str:
    """Return the missing file, with its folder if the log names it."""
    folder = match.groupdict().get("folder")
    return f"{folder}/{match['path']}" if folder else _first(match)


def _first(match: re.Match[str]) -> str:
    return next(filter(None, match.groupdict().values()), "")


def _fill(hint: str, known: Mapping[str, str]) -> str:
    # Not str.format: a log may hold braces.
    values = dict(known)
    if "library" in values:
        values["package"] = package(values["library"])
    return re.sub(r"\{(\w+)\}", lambda field: values.get(field[1], field[1]), hint.strip("\n"))


def _with_fields(hint: str, log: str) -> str:
    """Name the fields that pydantic misses. Each is read from a variable of that name in any case."""
    names = list(dict.fromkeys(name.upper() for name in _MISSING_FIELD.findall(log)))
    return hint.replace("--env NAME=VALUE", " ".join(f"--env {name}=VALUE" for name in names)) if names else hint


@cache
def _hints() -> list[dict[str, Any]]:
    hints: list[dict[str, Any]] = _load("hints.toml")["hint"]
    return hints


@cache
def _libraries() -> dict[str, str | dict[str, str]]:
    return _load("libraries.toml")


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_DATA / name).read_text(encoding="utf-8"))
