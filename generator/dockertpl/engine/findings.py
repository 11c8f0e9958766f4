"""Find problems of a healthy service: paths that fail, and errors in its log."""

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
# A server may write the log of an answer a moment later.
_LATE = 0.3

# Log levels below an error.
_MILD = re.compile(r"\b(?:DEBUG|INFO|WARN|WARNING|NOTICE)\b|\"level\": ?\"(?:debug|info|warn)")
# A quick filter: only lines with one of these words can match a hint.
_TELLING = re.compile(
    r"(?i)read-only|readonly|EROFS|no module named|cannot find (?:module|package)|permission|EACCES|ENOENT"
    r"|no such file|does not exist|sqlite|database file|shared object|TemplateNotFound"
)


class Finding(NamedTuple):
    """A problem.

    Attributes:
        rule: The kind of problem.
        message: The problem in one sentence.
        remedy: The advice. Empty if it is unknown.
        lines: The log lines that show the problem.
        fails: Whether the image is broken.
        missing: The missing file, as the log names it.
    """

    rule: str
    message: str
    remedy: str = ""
    lines: tuple[str, ...] = ()
    fails: bool = True
    missing: str = ""


def find(asked: Sequence[Asked], log: Sequence[Line], workdir: str) -> list[Finding]:
    """Return the problems, those of paths first.

    Args:
        asked: The requests, in order.
        log: The whole log.
        workdir: The base folder of relative paths in the log.
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
        remedy = "Copy .next/static to .next/static beside server.js: the standalone output of `next build` lacks it."
    elif one.question.source.startswith("public"):
        remedy = "Copy public/ beside server.js: the standalone output of `next build` lacks it."
    return Finding("static-missing", f"GET {path}: status {one.status}, and {_loaded_by(one)}.", remedy)


def _loaded_by(one: Asked) -> str:
    source = one.question.source
    return "a page loads it" if source == "a page" else f"it is in the repository ({source})"


def _failed(path: str, status: int, lines: Sequence[str], workdir: str) -> Finding:
    raised, where = raised_in(lines, workdir)
    advice = _advice(lines, workdir)
    says = f": {raised}" if raised else ""
    message = f"GET {path}: status {status}{says}{f' ({where})' if where else ''}"
    remedy = advice.remedy or ("" if lines else "The log has no line about it.")
    return Finding("path-failed", message, remedy, _tail(lines), missing=advice.missing)


class _Advice(NamedTuple):
    remedy: str
    missing: str = ""


def _advice(lines: Sequence[str], workdir: str) -> _Advice:
    hint = hints.find(lines, "run", workdir=workdir)
    return _Advice(hint.text, hint.missing) if hint else _Advice("")


def _of_log(log: Sequence[Line], workdir: str) -> Iterator[Finding]:
    """Yield the problems in the log of a healthy container."""
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
