"""What is wrong with a service though it is healthy: paths that fail, and a log that says what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from dockertpl.engine import hints
from dockertpl.engine.asking import Asked
from dockertpl.engine.logs import Line
from dockertpl.engine.traces import raised_in

_SHOWN_LINES = 6
# The log of one answer may be written a little after it.
_LATE = 0.3

# A server's own word for something that it went on without.
_MILD = re.compile(r"\b(?:DEBUG|INFO|WARN|WARNING|NOTICE)\b|\"level\": ?\"(?:debug|info|warn)")
# What a line has that a hint could be about; most lines have none of it.
_TELLING = re.compile(
    r"(?i)read-only|readonly|EROFS|no module named|cannot find (?:module|package)|permission|EACCES|ENOENT"
    r"|no such file|does not exist|sqlite|database file|shared object|TemplateNotFound"
)


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        rule: What kind of fault it is.
        message: What was seen, in one sentence.
        remedy: What to do; empty where that is not known.
        lines: The lines of the log that show it.
        fails: Whether the image is broken by it.
        missing: The file that was not found, as the log has it.
    """

    rule: str
    message: str
    remedy: str = ""
    lines: tuple[str, ...] = ()
    fails: bool = True
    missing: str = ""


def find(asked: Sequence[Asked], log: Sequence[Line], workdir: str) -> list[Finding]:
    """Return what is wrong, the paths first.

    Args:
        asked: What was asked for, in order.
        log: The whole log.
        workdir: The folder that relative paths in the log start from.
    """
    found = list(_of_paths(asked, log, workdir))
    shown = {line for finding in found for line in finding.lines}
    remedies = {finding.remedy for finding in found if finding.remedy}
    for finding in _of_log(log, workdir):
        if finding.remedy not in remedies and not shown.intersection(finding.lines):
            remedies.add(finding.remedy)
            found.append(finding)
    return found


def _of_paths(asked: Sequence[Asked], log: Sequence[Line], workdir: str) -> Iterator[Finding]:
    for number, one in enumerate(asked):
        if not one.fails:
            continue
        following = asked[number + 1].began if number + 1 < len(asked) else float("inf")
        until = min(one.ended + _LATE, following)
        lines = [line.text for line in log if one.began <= line.at <= until]
        path = one.question.path
        if one.verdict == "failed":
            yield _failed(path, one.status or 0, lines, workdir)
        elif one.verdict == "silent":
            yield Finding("no-answer", f"GET {path}: {one.detail}.", _advice(lines, workdir).remedy, _tail(lines))
        elif path.startswith("/_next/image"):
            yield Finding("static-missing", f"GET {path}: status {one.status}.", "", _tail(lines))
        else:
            yield _absent(one)


def _absent(one: Asked) -> Finding:
    path = one.question.path.partition("?")[0]
    remedy = ""
    if "/_next/static/" in path:
        remedy = (
            "Copy .next/static to .next/static beside server.js: `next build` leaves it out of the standalone output."
        )
    elif one.question.source.startswith("public"):
        remedy = "Copy public/ beside server.js: `next build` leaves it out of the standalone output."
    return Finding("static-missing", f"GET {path}: status {one.status}, and {_loaded_by(one)}.", remedy)


def _loaded_by(one: Asked) -> str:
    source = one.question.source
    return "a page loads it" if source == "a page" else f"it is in the repository ({source})"


def _failed(path: str, status: int, lines: Sequence[str], workdir: str) -> Finding:
    raised, where = raised_in(lines, workdir)
    advice = _advice(lines, workdir)
    says = f": {raised}" if raised else ""
    message = f"GET {path}: status {status}{says}{f' ({where})' if where else ''}"
    remedy = advice.remedy or ("" if lines else "Its log says nothing about it.")
    return Finding("path-failed", message, remedy, _tail(lines), missing=advice.missing)


class _Advice(NamedTuple):
    remedy: str
    missing: str = ""


def _advice(lines: Sequence[str], workdir: str) -> _Advice:
    hint = hints.find(lines, "run", workdir=workdir)
    return _Advice(hint.text, hint.missing) if hint else _Advice("")


def _of_log(log: Sequence[Line], workdir: str) -> Iterator[Finding]:
    """Yield what a log says of a healthy container."""
    texts = [line.text for line in log]
    for number, text in enumerate(texts):
        hint = hints.find([text], "run", workdir=workdir) if _TELLING.search(text) else None
        if hint is None or not hint.rule:
            continue
        if hint.missing and not PurePosixPath(workdir, hint.missing).is_relative_to(workdir):
            continue
        # A traceback tells more than its last line.
        around = hints.find(texts[max(0, number - 40) : number + 1], "run", workdir=workdir)
        best = around if around and around.rule == hint.rule else hint
        fails = not _MILD.search(text[:100])
        yield Finding(hint.rule, f"The log says: {text.strip()[:300]}", best.text, (text,), fails, best.missing)


def _tail(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(lines[-_SHOWN_LINES:])
