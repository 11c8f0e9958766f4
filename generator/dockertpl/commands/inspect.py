"""`dockertpl inspect`: what is detected about an application, each fact with file and line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dockertpl.detect import Detection, Fact, NotDetectedError, Unknown, look
from dockertpl.detect.root import repository_root

_WIDTH = 80
_VALUE = 30


def run(*, destination: Path, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    """Look at the repository around a folder and print what is detected.

    Args:
        destination: A repository's root, or the application's folder in it.

    Returns:
        The exit code (1 if no application was found, or several) and the object of the JSON contract.

    Raises:
        BadInputError: The folder does not exist, or a manifest is not valid.
    """
    root, app_dir = repository_root(destination)
    found, problem = look(root, app_dir)
    unknown = [*([_as_unknown(problem)] if problem else []), *found.unknown]
    if not quiet:
        for line in _report(root, found, unknown):
            print(line)  # noqa: T201
    return (1 if problem else 0), {
        "root": str(root),
        "app_dir": found.answers.get("app_dir"),
        "facts": [
            {
                "key": key,
                "value": fact.value,
                "path": fact.evidence.path or None,
                "line": fact.evidence.line,
                "note": fact.evidence.note,
            }
            for key, fact in found.lines()
        ],
        "unknown": [{"key": one.key, "message": one.message, "remedy": one.remedy} for one in unknown],
        "warnings": list(found.warnings),
    }


def _as_unknown(problem: NotDetectedError) -> Unknown:
    return Unknown(key="app", message=problem.message, remedy=problem.remedy)


def _report(root: Path, found: Detection, unknown: list[Unknown]) -> Iterator[str]:
    yield str(root)
    facts = list(found.lines())
    key_width = max((len(key) for key, _ in facts), default=0)
    value_width = min(_VALUE, max((len(_text(fact)) for _, fact in facts), default=0))
    for key, fact in facts:
        yield from _fact(key, fact, key_width, value_width)
    if unknown:
        yield ""
        yield "Not detected:"
        for one in unknown:
            yield from _wrapped(f"{one.key}: {one.message}", "  ", "    ")
            for line in one.remedy.splitlines():
                yield from _wrapped(line, "    ", "      ")
    if found.warnings:
        yield ""
        yield "Warnings:"
        for warning in found.warnings:
            yield from _wrapped(warning, "  - ", "    ")


def _fact(key: str, fact: Fact, key_width: int, value_width: int) -> Iterator[str]:
    """Yield key, value and place on one line if they fit. A note, or what does not fit, goes below the value."""
    indent = " " * (key_width + 2)
    text, where, note = _text(fact), fact.evidence.where, fact.evidence.note
    line = f"{key:<{key_width}}  {text:<{value_width}}  {where}".rstrip()
    rest = note
    if len(line) > _WIDTH or len(text) > value_width:
        yield from _wrapped(text, f"{key:<{key_width}}  ", indent)
        rest = f"{where}  {note}".strip()
    else:
        yield line
    if rest:
        yield from _wrapped(rest, indent + "  ", indent + "  ")


def _text(fact: Fact) -> str:
    value = fact.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _wrapped(text: str, first: str, then: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=then, break_long_words=False, break_on_hyphens=False
    )
