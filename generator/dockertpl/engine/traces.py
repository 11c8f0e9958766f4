"""Read a traceback: the error, and the last frame in the application's code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

_FRAME = re.compile(r'File "(?P<file>/[^"\n]+)", line (?P<line>\d+), in (?P<name>\S+)')
_INSTALLED = re.compile(r"/(?:site|dist)-packages/|/lib/python3|/node_modules/")
# Python names the error in the last line of a traceback, Node.js in the first.
_RAISED = re.compile(r"^(?:\s*\W*\s*)?((?:[\w.]*(?:Error|Exception|NotFound|Timeout|Refused)\w*)(?::.*)?)$")


def raised_in(lines: Sequence[str], workdir: str) -> tuple[str, str]:
    """Return the last error in a log, and the last frame in the application's code as `file:line, in function`."""
    raised = next((match[1] for line in reversed(lines) if (match := _RAISED.match(line))), "")
    frames = [match for line in lines for match in _FRAME.finditer(line) if not _INSTALLED.search(match["file"])]
    if not frames:
        return raised[:300], ""
    last = frames[-1]
    file = PurePosixPath(last["file"])
    shown = file.relative_to(workdir) if file.is_relative_to(workdir) else file
    return raised[:300], f"{shown}:{last['line']}, in {last['name']}"
