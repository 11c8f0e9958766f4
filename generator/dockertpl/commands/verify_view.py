"""The output of `verify`: a live line while it works, and then the result."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dockertpl.commands.base_layers import Base
from dockertpl.engine.asking import Asked
from dockertpl.engine.findings import Finding
from dockertpl.engine.layer_cache import Layer
from dockertpl.engine.progress import Progress
from dockertpl.engine.waiting import Watched
from dockertpl.errors import DockertplError
from dockertpl.screen import LiveLine, counted, cut, draws, redraws, say

_BAR = 10
_OWN_SHOWN = 5
_BASE_SHOWN = 2
_TIMES = (("ready in", "ready_seconds"), ("healthy in", "healthy_seconds"), ("stopped in", "stop_seconds"))
_LEAST = 50_000  # bytes; less would be shown as 0.0 MB
# A build reports a lot, so the line is composed less often.
_NOTED = 0.1


class Live:
    """The progress: one line with the phase and its seconds on a terminal, else a line per phase."""

    def __init__(self, quiet: bool, phase: str, plain: str = "") -> None:
        """Begin the first phase, as `phase` does."""
        self._quiet = quiet
        # Without a terminal, or with a screen reader, every update would be another line.
        self._line = LiveLine(self._composed) if not quiet and redraws() else None
        self.phase(phase, plain)

    def __enter__(self) -> Live:
        """Show the line."""
        if self._line:
            self._line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line."""
        self.end()

    def end(self) -> None:
        """Remove the line before the block ends."""
        if self._line:
            self._line.__exit__()

    def phase(self, name: str, plain: str = "") -> None:
        """Begin a phase.

        Args:
            name: The name in the line, such as "building".
            plain: What to print if no line is shown. May be empty.
        """
        self._phase, self._said, self._began, self._noted = name, "", time.monotonic(), 0.0
        if plain and not self._line:
            say(plain, quiet=self._quiet)

    def built(self, progress: Progress) -> None:
        """Show the progress of a build."""
        now = time.monotonic()
        if self._line and now > self._noted + _NOTED:
            self._noted = now
            self._said = build_text(progress, now - self._began)

    def watched(self, seen: Watched) -> None:
        """Show what a container does while verify waits for it."""
        answer = "no port to ask" if seen.answer is None else str(seen.answer)
        self._said = f"{'ready' if seen.ready else answer}{'  | ' + seen.line.strip() if seen.line else ''}"

    def asked(self, one: Asked) -> None:
        """Show the answer to a request."""
        self._said = f"{one.status or one.verdict}  {one.question.path}"

    def _composed(self) -> str:
        return f"  {self._phase} {time.monotonic() - self._began:.0f} s  {self._said}".rstrip()


def build_text(progress: Progress, seconds: float) -> str:
    """Return the progress of a build.

    The duration of a step is unknown. The rest of a transfer is known if it reports its size.

    Args:
        progress: The build.
        seconds: How long it has been running.
    """
    head = f"{progress.done()}/{len(progress.steps())}"
    current, total = progress.moved()
    if total:
        head += f", {_megabytes(current)} of {total / 1e6:.1f}"
        if 0 < current < total and seconds:
            head += f", {(total - current) * seconds / current:.0f} s left"
    return f"{head}  {' '.join(progress.current.split())}".rstrip()


def figures(facts: Mapping[str, Any], contents: Sequence[Layer], base: Base | None) -> str:
    """Return the figures as lines of at most 80 columns.

    Args:
        facts: The facts, as in `verify --json`.
        contents: The image's layers, the base's first.
        base: The base image's layers, if they are known.
    """
    rows = [
        *_sizes(contents, base),
        (
            "built in",
            f"{_seconds(facts['build_seconds'])} ({facts['cached_steps']} of {facts['steps']} steps cached)",
        ),
        *((label, _seconds(facts[key])) for label, key in _TIMES if facts[key] is not None),
        ("user", "unknown" if facts["uid"] is None else f"uid {facts['uid']}"),
        ("root", "read-only" if facts["read_only"] else "not read-only"),
    ]
    return "\n".join(cut(f"  {label:<11} {text}".rstrip()) for label, text in rows)


def _sizes(contents: Sequence[Layer], base: Base | None) -> Iterator[tuple[str, str]]:
    yield "image", f"{_sum(contents)}  unpacked, {counted(len(contents), 'layer', 'layers')}"
    most = max((layer.bytes for layer in contents), default=0)
    if base is None or base.layers == 0:
        yield from _layers(contents, most, _OWN_SHOWN)
        return
    own, below = contents[base.layers :], contents[: base.layers]
    yield "application", f"{_sum(own)}  {counted(len(own), 'layer', 'layers')}"
    yield from _layers(own, most, _OWN_SHOWN)
    yield "base", f"{_sum(below)}  {counted(len(below), 'layer', 'layers')}{' of ' + base.name if base.name else ''}"
    yield from _layers(below, most, _BASE_SHOWN)


def _layers(contents: Sequence[Layer], most: int, shown: int) -> Iterator[tuple[str, str]]:
    block = "█" if draws("█") else "#"
    biggest = sorted(contents, key=lambda layer: layer.bytes, reverse=True)
    for layer in [one for one in biggest[:shown] if one.bytes >= _LEAST]:
        bar = block * round(_BAR * layer.bytes / most)
        yield "", f"{_megabytes(layer.bytes):>9}  {bar:<{_BAR}}  {layer.instruction}"


def _sum(contents: Sequence[Layer]) -> str:
    return f"{_megabytes(sum(layer.bytes for layer in contents)):>9}"


def path_lines(asked: Sequence[Asked]) -> list[str]:
    """Return the requests as lines of at most 80 columns."""
    lines = []
    for number, one in enumerate(asked):
        status = "-" if one.status is None else str(one.status)
        detail = f"-> {one.detail}" if one.verdict == "redirect" else one.detail
        failed = "  FAILS" if one.fails else ""
        label = "" if number else "asked"
        lines.append(cut(f"  {label:<11} {status:>3}  {one.question.path}{failed}  {detail}".rstrip()))
    return lines


def finding_text(finding: Finding) -> str:
    """Return a finding with the lines of the log that show it."""
    return "\n".join([f"  {finding.message}", *(f"  | {line}" for line in finding.lines)])


def good(facts: Mapping[str, Any]) -> str:
    """Return the headline of an image that passes. `facts` are those of `verify --json`."""
    seconds = facts["ready_seconds"] if facts["healthy_seconds"] is None else facts["healthy_seconds"]
    root = "a read-only root" if facts["read_only"] else "a writable root"
    line = f"healthy in {seconds or 0:.1f} s as uid {facts['uid']} on {root}"
    if paths := facts["paths"]:
        answers = sum(not path["fails"] for path in paths)
        line += f", {answers} of {counted(len(paths), 'path answers', 'paths answer')}"
    return line


def bad(facts: Mapping[str, Any], error: DockertplError) -> str:
    """Return the headline of an image that fails. Empty if the image is not at fault.

    Args:
        facts: The facts so far, as in `verify --json`.
        error: The failure.
    """
    known = {
        "build-failed": "broken: it does not build",
        "root-user": "broken: healthy, but it runs as root",
        "unhealthy": "broken: healthy, but SIGTERM does not end it" if facts["healthy"] else "broken: not healthy",
        "over-budget": "over budget",
    }
    if error.code != "broken":
        return known.get(error.code, "")
    paths = facts["paths"]
    failing = sum(path["fails"] for path in paths)
    logged = sum(one["fails"] and one["rule"] not in _OF_PATHS for one in facts["findings"])
    said = [f"{failing} of {counted(len(paths), 'path fails', 'paths fails' if failing == 1 else 'paths fail')}"]
    said = said if failing else []
    if logged:
        said.append(f"{counted(logged, 'error', 'errors')} in its log")
    return f"broken: {' and '.join(said)}"


_OF_PATHS = ("path-failed", "no-answer", "static-missing")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"
