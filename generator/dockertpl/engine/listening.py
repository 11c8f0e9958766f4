"""Find the port and address of a server in its log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_ADDRESS = r"https?://(?P<host>\[[0-9a-f:]+\]|[\w.-]+):(?P<port>\d{2,5})\b"
# The log line of each server, and the option to listen on all interfaces.
_SERVERS = (
    (rf"Uvicorn running on {_ADDRESS}", "--host 0.0.0.0 in its command"),
    (rf"\bRunning on {_ADDRESS} \(CTRL \+ C to quit\)", "--bind 0.0.0.0:{port} in its command"),
    (rf"\bListening at: {_ADDRESS} \(\d+\)", "--bind 0.0.0.0:{port} in its command"),
    (rf"\[INFO\] Listening at: {_ADDRESS}", "--host 0.0.0.0 in its command"),
    (r"Listening on TCP address (?P<host>[\w.:-]+):(?P<port>\d{2,5})\b", "--bind 0.0.0.0 in its command"),
    # Next.js always logs localhost as its local address. The network address is the configured one.
    (rf"- Network:\s+{_ADDRESS}", "HOSTNAME=0.0.0.0 in its environment"),
    (r"- Local:\s+https?://[\w.\[\]:-]+?:(?P<port>\d{2,5})\b", "HOSTNAME=0.0.0.0 in its environment"),
)
# Other programs. The logged host may differ from the real address.
_OTHERS = re.compile(
    r"(?i)\blistening (?:on|at):? (?:port:? ?|https?://[\w.-]+:|[\w.*]*:)(?P<port>\d{2,5})\b"
    r"|\b(?:running|ready|started)(?: on| at)?:? https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(?P<other>\d{2,5})\b"
)
_LOOPBACK = re.compile(r"localhost|127(?:\.\d+){3}|\[::1\]")
_STARTING = re.compile(r"Waiting for application startup|Booting worker with pid|- Starting\b|✓ Starting")
_STARTED = re.compile(r"Application startup (?:complete|failed)|✓ Ready|running on http", re.IGNORECASE)


class Place(NamedTuple):
    """The port and address of a server.

    Attributes:
        port: The port.
        host: The address, or an empty string if it is uncertain.
        line: The line of the log.
        remedy: The option to listen on every address, or an empty string for an unknown server.
    """

    port: int
    host: str
    line: str
    remedy: str

    @property
    def is_inward(self) -> bool:
        """Whether it listens on the loopback address, which only the container can reach."""
        return bool(_LOOPBACK.fullmatch(self.host))


def find(lines: Sequence[str]) -> Place | None:
    """Return the port and address in a log, or None. Prefer the last line of a known server."""
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
    """Return whether a log shows that the application is still starting."""
    begun = [number for number, line in enumerate(lines) if _STARTING.search(line)]
    return bool(begun) and not any(_STARTED.search(line) for line in lines[begun[-1] + 1 :])
