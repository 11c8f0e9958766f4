"""Follow a container's log."""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import IO, NamedTuple

from dockertpl.engine.client import Client
from dockertpl.engine.container import timestamp
from dockertpl.engine.progress import ESCAPES
from dockertpl.interrupts import end

_KEPT_LINES = 2000
_LONGEST = 2000

#: The last line of a Python traceback, or the first line of a Node.js error.
_ERROR = re.compile(r"^(?:\[?[\w.]*(?:Error|Exception|NotFound|Interrupt|Failure)\b|.*\bError: ).*")
#: The parts that differ between repeated errors: times, numbers, addresses.
_CHANGES = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)


class Line(NamedTuple):
    """A line of a log, with the engine's timestamp in seconds since the epoch."""

    at: float
    text: str


class Log:
    """The log of one container, followed with `docker container logs --follow` until the container ends.

    One process costs less than a new command for each look at the log.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._lines: deque[Line] = deque(maxlen=_KEPT_LINES)
        self._tell: Callable[[Line], None] = lambda line: None
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [client.executable, "container", "logs", "--follow", "--timestamps", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        streams = (self._process.stdout, self._process.stderr)
        self._readers = [threading.Thread(target=self._read, args=(stream,), daemon=True) for stream in streams]
        for reader in self._readers:
            reader.start()

    def ended(self) -> bool:
        """Return whether the log has ended."""
        return self._process.poll() is not None

    def failed(self) -> bool:
        """Return whether the engine failed to send the log of an ended container. Wait a second for its end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        return self._process.returncode not in (None, 0)

    def drain(self) -> None:
        """Wait for the last lines of an ended container, a second at most."""
        for reader in self._readers:
            reader.join(1)

    def lines(self) -> list[Line]:
        """Return the last lines of stdout and stderr in order of time, without empty lines and escape codes."""
        with self._lock:
            kept = list(self._lines)
        return sorted(kept, key=lambda line: line.at)

    def last(self, count: int) -> list[str]:
        """Return the texts of the last lines."""
        return [line.text for line in self.lines()[-count:]]

    def follow(self, tell: Callable[[Line], None]) -> None:
        """Call a function for all lines so far, and from another thread for each new line."""
        with self._lock:
            for line in sorted(self._lines, key=lambda line: line.at):
                tell(line)
            self._tell = tell

    def close(self) -> None:
        """Stop following."""
        end(self._process)
        self.drain()

    def _read(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        with stream:
            for raw in stream:
                if line := _line(raw):
                    with self._lock:
                        self._lines.append(line)
                        self._tell(line)


def repeated(lines: list[str], times: int) -> str:
    """Return an error that a log has at least `times` times, ignoring numbers, or an empty string."""
    errors = [line.strip() for line in lines if _ERROR.match(line.strip())]
    counted = Counter(_CHANGES.sub("0", error) for error in errors)
    known, count = counted.most_common(1)[0] if counted else ("", 0)
    return next(e for e in reversed(errors) if _CHANGES.sub("0", e) == known) if count >= times else ""


def _line(raw: bytes) -> Line | None:
    stamp, _, text = raw.decode(errors="replace").partition(" ")
    text = ESCAPES.sub("", text).rstrip()[:_LONGEST]
    return Line(timestamp(stamp), text) if text.strip() else None
