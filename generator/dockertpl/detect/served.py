"""Find routes, pages and files that an application serves, from its sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Served
from dockertpl.errors import BadInputError
from dockertpl.kinds import NEXTJS_STANDALONE, PYTHON_FASTAPI

_MOST = 8
# Routes that fail on purpose, change something, or stream without an end.
_RISKY = re.compile(
    r"(?:^|[/_-])(?:sentry|debug|errors?|crash|fail\w*|boom|panic|raise|throw|sleep|slow|delay|shutdown|exit|kill|quit|restart|"
    r"log-?out|sign-?out|delete|remove|reset|clear|purge|flush|seed|migrate|drop|send|trigger|run|cron|jobs?|tasks?|webhooks?|"
    r"stream|events?|sse|ws|sockets?|poll|subscribe|proxy|callback|redirect|download|export)(?:[/_-]|$)",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"/[\w./~-]*")


def find_served(root: Path, folder: str, kind: str | None, answers: Mapping[str, Any]) -> list[Served]:
    """Return at most eight paths to request from an application, without running its code.

    Args:
        root: The repository root.
        folder: The application's folder, relative to the root.
        kind: The image's kind, or None if it is unknown.
        answers: The answers of its answers file, or an empty mapping.
    """
    try:
        if kind in (None, NEXTJS_STANDALONE):
            from dockertpl.detect.node import served as node

            found = choose(node.served(root, folder))
            if found or kind:
                return found
        if kind in (None, PYTHON_FASTAPI):
            from dockertpl.detect.python import served as python

            return choose(python.served(root, folder, answers))
    except BadInputError:
        pass  # Ignore an invalid manifest: the build reports it.
    return []


def is_safe(path: str) -> bool:
    """Return whether a path is safe to request: plain, without parameters, and without a risky name."""
    return bool(_PLAIN.fullmatch(path)) and not _RISKY.search(path)


def choose(served: Iterable[Served]) -> list[Served]:
    """Choose some paths: the start page, all files, and one or two from each part of the application."""
    paths = {one.path: one for one in reversed(list(served)) if is_safe(one.path)}
    files = [one for one in paths.values() if one.what == "file"]
    pages = sorted((one for one in paths.values() if one.what == "page"), key=lambda one: (len(one.path), one.path))
    by_part: dict[tuple[str, ...], list[Served]] = {}
    for page in pages:
        by_part.setdefault(_part(page.path), []).append(page)
    # First one of each part, then the second of each.
    turns = [
        part[turn]
        for turn in range(max(map(len, by_part.values()), default=0))
        for part in by_part.values()
        if turn < len(part)
    ]
    kept = files[:2]
    return [*turns[: _MOST - len(kept)], *kept]


def _part(path: str) -> tuple[str, ...]:
    parts = [part for part in path.split("/") if part]
    # Below /api/v1 the parts differ one later.
    while len(parts) > 1 and re.fullmatch(r"api|v\d+|rest", parts[0]):
        parts.pop(0)
    return tuple(parts[:1])
