"""Where a server says in its log that it listens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_ADDRESS = r"https?://(?P<host>\[[0-9a-f:]+\]|[\w.-]+):(?P<port>\d{2,5})\b"
# What each server logs, and the option that makes it listen on all interfaces.
_SERVERS = (
    (rf"Uvicorn running on {_ADDRESS}", "--host 0.0.0.0 in its command"),
    (rf"\bRunning on {_ADDRESS} \(CTRL \+ C to quit\)", "--bind 0.0.0.0:{port} in its command"),
    (rf"\bListening at: {_ADDRESS} \(\d+\)", "--bind 0.0.0.0:{port} in its command"),
    (rf"\[INFO\] Listening at: {_ADDRESS}", "--host 0.0.0.0 in its command"),
    (r"Listening on TCP address (?P<host>[\w.:-]+):(?P<port>\d{2,5})\b", "--bind 0.0.0.0 in its command"),
    # Next.js calls its own address localhost whatever it listens on. The network address is the configured one.
    (rf"- Network:\s+{_ADDRESS}", "HOSTNAME=0.0.0.0 in its environment"),
    (r"- Local:\s+https?://[\w.\[\]:-]+?:(?P<port>\d{2,5})\b", "HOSTNAME=0.0.0.0 in its environment"),
)
# Any other program. The host that it logs may differ from the address that it listens on.
_OTHERS = re.compile(
    r"(?i)\blistening (?:on|at):? (?:port:? ?|https?://[\w.-]+:|[\w.*]*:)(?P<port>\d{2,5})\b"
    r"|\b(?:running|ready|started)(?: on| at)?:? https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(?P<other>\d{2,5})\b"
)
_LOOPBACK = re.compile(r"localhost|127(?:\.\d+){3}|\[::1\]")
_STARTING = re.compile(r"Waiting for application startup|Booting worker with pid|- Starting\b|✓ Starting")
_STARTED = re.compile(r"Application startup (?:complete|failed)|✓ Ready|running on http", re.IGNORECASE)


class Place(NamedTuple):
    """Where a server listens.

    Attributes:
        port: The port.
        host: The address; empty where the log does not say it for certain.
        line: What the log says.
        remedy: How this server is told to listen on every address; empty for a server that is not known.
    """

    port: int
    host: str
    line: str
    remedy: str

    @property
    def is_inward(self) -> bool:
        """Whether only the container itself can reach it."""
        return bool(_LOOPBACK.fullmatch(self.host))


def find(lines: Sequence[str]) -> Place | None:
    """Return where a log says that its server listens; None if it does not say.

    Args:
        lines: The log. Of several places the last of a known server counts, else the last.
    """
    other: Place | None = None
    for line in reversed(lines):
        for pattern, remedy in _SERVERS:
            if match := re.search(pattern, line):
                known, port = match.groupdict(), match["port"]
                return Place(int(port), known.get("host") or "", line.strip()[:200], remedy.format(port=port))
        if other is None and (match := _OTHERS.search(line)):
            other = Place(int(match["port"] or match["other"]), "", line.strip()[:200], "")
    return other


def is_starting(lines: Sequence[str]) -> bool:
    """Tell whether a log says that the application is starting, and not yet that it has started."""
    begun = [number for number, line in enumerate(lines) if _STARTING.search(line)]
    return bool(begun) and not any(_STARTED.search(line) for line in lines[begun[-1] + 1 :])
