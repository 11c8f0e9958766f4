"""Send the request of the image's health check from outside."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from typing import NamedTuple

LABEL = "org.dockertpl.health"
_KEPT_BYTES = 400
_DRAINED_BYTES = 65_536


class Rule(NamedTuple):
    """The rule for a good answer on `path`: a status from `lowest` to below `below`."""

    path: str
    lowest: int
    below: int

    def __str__(self) -> str:
        """Return the rule in the label's format."""
        return f"{self.path} {self.lowest // 100}xx" if self.lowest >= 200 else f"{self.path} <{self.below}"


class Answer(NamedTuple):
    """An answer.

    Attributes:
        status: The HTTP status, or None without an answer.
        at: The time of the status line, on the monotonic clock.
        text: The first bytes of the body, or the error.
        location: The target of a redirect, or an empty string.
    """

    status: int | None
    at: float
    text: str
    location: str = ""

    def __str__(self) -> str:
        """Return the answer in words."""
        if self.status is None:
            return self.text
        if self.location:
            return f"status {self.status}, a redirect to {self.location}"
        return f"status {self.status}" + (f", {self.text!r}" if self.text else ", no body")


ANYTHING = Rule("/", 100, 500)


def rule(labels: Mapping[str, str]) -> Rule:
    """Return the rule of the label `org.dockertpl.health` ("/health 2xx", "/ <500").

    For an image without a valid label, any answer below 500 on / is good.
    """
    match = re.fullmatch(r"(/[!-~]*) (?:([1-5])xx|<([1-5]\d\d))", labels.get(LABEL, ""))
    if not match:
        return ANYTHING
    path, hundreds, below = match.groups()
    return Rule(path, int(hundreds) * 100, int(hundreds) * 100 + 100) if hundreds else Rule(path, 100, int(below))


def is_final(answer: Answer | None) -> bool:
    """Return whether waiting does not change an answer: a redirect, or a client error except 429."""
    return answer is not None and answer.status is not None and 300 <= answer.status < 500 and answer.status != 429


def good(wanted: Rule, answer: Answer) -> bool:
    """Return whether an answer matches the rule."""
    return answer.status is not None and wanted.lowest <= answer.status < wanted.below


def ask(port: int, path: str, *, timeout: float = 2.0) -> Answer:
    """Send a GET request to a port of 127.0.0.1, with the same lines as the health check. Never raises.

    Args:
        port: The published port.
        path: The path.
        timeout: The timeout in seconds for connecting and for reading.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return _read(connection)
    except ConnectionRefusedError:
        return Answer(None, time.monotonic(), "connection refused")
    except TimeoutError:
        return Answer(None, time.monotonic(), f"no answer in {timeout:.0f} s")
    except OSError as error:
        return Answer(None, time.monotonic(), (error.strerror or str(error)).lower())


def _read(connection: socket.socket) -> Answer:
    received = b""
    at = None
    while len(received) < _DRAINED_BYTES:
        try:
            part = connection.recv(8192)
        except OSError:
            if at is None:
                raise
            break
        # An answer is good from its status line on; the rest is read so that the server ends it in peace.
        if at is None and b"\n" in part:
            at = time.monotonic()
            connection.settimeout(0.5)
        received += part
        if not part:
            break
    if not received:
        # The engine's proxy takes the connection before anything listens behind it.
        return Answer(None, time.monotonic(), "connection closed without an answer")
    match = re.match(rb"HTTP/1\.[01] (\d{3})\b", received)
    body = received.partition(b"\r\n\r\n")[2] if match else received
    text = " ".join(body[:_KEPT_BYTES].decode(errors="replace").split())
    if not match:
        return Answer(None, time.monotonic(), f"no HTTP: {text!r}")
    status = int(match[1])
    head = received.partition(b"\r\n\r\n")[0].decode(errors="replace")
    location = re.search(r"(?im)^location:[ \t]*([!-~]{1,200})", head) if 300 <= status < 400 else None
    return Answer(status, at or time.monotonic(), text[:200], location[1] if location else "")
