"""A container's log, read as it is written."""

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

#: The last line of a traceback, or the first of an error of Node.js.
_ERROR = re.compile(r"^(?:\[?[\w.]*(?:Error|Exception|NotFound|Interrupt|Failure)\b|.*\bError: ).*")
#: What changes from one time to the next: times, numbers, addresses.
_CHANGES = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)


class Line(NamedTuple):
    """One line of a log, with the engine's time of it (seconds since the epoch)."""

    at: float
    text: str


class Log:
    """The log of one container, followed by a `docker container logs` of its own until the container ends.

    One process that waits costs less than a command each time that somebody looks.
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
        """Tell whether the container has ended, as far as its log shows."""
        return self._process.poll() is not None

    def failed(self) -> bool:
        """Tell whether the engine failed to give the log of a container that has ended; it has a second to end it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        return self._process.returncode not in (None, 0)

    def drain(self) -> None:
        """Wait for the last lines of a container that has ended, a second at most."""
        for reader in self._readers:
            reader.join(1)

    def lines(self) -> list[Line]:
        """Return the last lines of both streams in order of time, without empty ones and escape codes."""
        with self._lock:
            kept = list(self._lines)
        return sorted(kept, key=lambda line: line.at)

    def last(self, count: int) -> list[str]:
        """Return the texts of the last lines."""
        return [line.text for line in self.lines()[-count:]]

    def follow(self, tell: Callable[[Line], None]) -> None:
        """Tell the lines that there are, and from now on each that comes; by another thread."""
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
    """Return an error that a log has at least that many times, but for numbers in it; empty if there is none.

    Args:
        lines: The log's lines.
        times: How often it has to be there.
    """
    errors = [line.strip() for line in lines if _ERROR.match(line.strip())]
    counted = Counter(_CHANGES.sub("0", error) for error in errors)
    known, count = counted.most_common(1)[0] if counted else ("", 0)
    return next(e for e in reversed(errors) if _CHANGES.sub("0", e) == known) if count >= times else ""


def _line(raw: bytes) -> Line | None:
    stamp, _, text = raw.decode(errors="replace").partition(" ")
    text = ESCAPES.sub("", text).rstrip()[:_LONGEST]
    return Line(timestamp(stamp), text) if text.strip() else None
