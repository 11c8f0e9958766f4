"""Parse the lines of `docker buildx build --progress=rawjson`.

Each line is a JSON object of BuildKit's status stream: vertexes (steps with start, end, cache hit and error), logs
(base64) and warnings (base64). Other lines are the client's summary of a failure.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any

# "[build 2/7] RUN …", "[2/7] RUN …". FROM does not count: whether it is cached depends on a lookup.
# The second vertex of COPY --link, "LINK COPY …", does not count either.
_STEP = re.compile(r"\[(?:(?P<stage>[^\]]+) )?\d+/\d+\] (?P<instruction>(?!FROM |LINK ).+)", re.DOTALL)
_EXCERPT = re.compile(r"\s*(?P<line>\d+) \| >>> (?P<text>.*)")
#: Escape sequences for colors, cursor movement and window titles.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_KEPT_BYTES = 32_768
_KEPT_LINES = 60


@dataclass(kw_only=True)
class Vertex:
    """A node of the build's graph."""

    name: str = ""
    started: bool = False
    completed: bool = False
    cached: bool = False
    error: str = ""
    log: bytearray = field(default_factory=bytearray)

    def step(self) -> re.Match[str] | None:
        """Return the stage and the instruction, or None for BuildKit's internal steps."""
        return _STEP.fullmatch(self.name)

    def log_lines(self, count: int) -> list[str]:
        """Return the last `count` lines that are not empty. An overwritten line has its final text."""
        text = ESCAPES.sub("", self.log.decode(errors="replace"))
        lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.replace("\r\n", "\n").split("\n")]
        return [line for line in lines if line and not line.startswith("npm notice")][-count:]


class Progress:
    """The state of a build.

    Attributes:
        vertexes: The nodes of its graph by digest.
        warnings: BuildKit's warnings.
        summary: The client's last lines.
        current: The name of the step that started last, or an empty string.
    """

    def __init__(self) -> None:
        self.vertexes: dict[str, Vertex] = {}
        self.warnings: list[str] = []
        self.summary: list[str] = []
        self.current = ""
        self._transfers: dict[tuple[str, str], tuple[int, int]] = {}

    def feed(self, line: str) -> None:
        """Process one line."""
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            if line.strip():
                self.summary = [*self.summary, line.rstrip()][-_KEPT_LINES:]
            return
        for vertex in message.get("vertexes") or ():
            self._vertex(vertex)
        for status in message.get("statuses") or ():
            self._status(status)
        for entry in message.get("logs") or ():
            log = self._get(entry.get("vertex", "")).log
            log += _decode(entry.get("data", ""))
            del log[:-_KEPT_BYTES]
        for entry in message.get("warnings") or ():
            warning = _decode(entry.get("short", "")).decode(errors="replace")
            if warning and warning not in self.warnings:
                self.warnings.append(warning)

    def steps(self) -> list[Vertex]:
        """Return the vertexes of instructions in the Dockerfile."""
        return [vertex for vertex in self.vertexes.values() if vertex.step()]

    def cached(self) -> int:
        """Return the number of steps that did not run, including those that were not needed."""
        return sum(vertex.cached or not vertex.started for vertex in self.steps())

    def done(self) -> int:
        """Return the number of steps that ran or were cached."""
        return sum(vertex.cached or vertex.completed for vertex in self.steps())

    def moved(self) -> tuple[int, int]:
        """Return the bytes done and the total bytes of transfers with a known size."""
        sizes = self._transfers.values()
        return sum(current for current, _ in sizes), sum(total for _, total in sizes)

    def failed(self) -> Vertex | None:
        """Return the step that failed. Parallel steps that were canceled then also have an error."""
        failed = [vertex for vertex in self.vertexes.values() if vertex.error]
        own = [vertex for vertex in failed if "context canceled" not in vertex.error]
        return next((vertex for vertex in own if vertex.step()), own[0] if own else None)

    def error(self) -> str:
        """Return the client's last error message, without prefixes."""
        for line in reversed(self.summary):
            if line.startswith("ERROR: "):
                return re.sub(r"^ERROR: (?:failed to build: )?(?:failed to solve: )?", "", line)
        return self.summary[-1] if self.summary else "the engine gave no reason"

    def excerpt(self) -> tuple[int, str] | None:
        """Return line number and text of the failed line in the Dockerfile, if it is marked."""
        for line in self.summary:
            match = _EXCERPT.fullmatch(line)
            if match:
                return int(match["line"]), match["text"].strip()
        return None

    def _get(self, digest: str) -> Vertex:
        return self.vertexes.setdefault(digest, Vertex())

    def _status(self, message: dict[str, Any]) -> None:
        """Store the state of a transfer, such as a layer or the context."""
        current, total = message.get("current"), message.get("total")
        if isinstance(current, int) and isinstance(total, int) and total > 0:
            key = (str(message.get("vertex")), str(message.get("id")))
            self._transfers[key] = (min(current, total), total)

    def _vertex(self, message: dict[str, Any]) -> None:
        vertex = self._get(str(message.get("digest")))
        vertex.name = str(message.get("name", vertex.name))
        begins = bool(message.get("started")) and not vertex.started
        vertex.started = vertex.started or begins
        vertex.completed = vertex.completed or bool(message.get("completed"))
        vertex.cached = vertex.cached or bool(message.get("cached"))
        vertex.error = str(message.get("error") or vertex.error)
        if begins and vertex.step() and not vertex.cached:
            self.current = vertex.name


def _decode(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError):
        return b""
