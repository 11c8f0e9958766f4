"""Record `dockertpl new` and `dockertpl verify` for the README: `python -m tests.demo_recording`.

It builds and runs the image, so it needs a container engine. The picture is an SVG that plays one screen at a time.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyte
from tests.engine import bases, host, service
from tests.parity import ROOT
from tests.samples.sample import write_sample
from tests.wizard.recording import RUNS
from tests.wizard.terminal import COLUMNS, ENTER, Terminal, dockertpl

PICTURE = ROOT / "docs" / "images" / "demo.svg"
ROWS = 31
#: The size of a cell in units of the picture, and the margin around the cells.
WIDTH, HEIGHT, MARGIN, TITLE = 8.4, 18, 16, 32
_COLORS = {
    "default": "#d4d7dd", "black": "#5c6370", "red": "#e8707a", "green": "#8fc77b", "brown": "#dfb56c",
    "blue": "#6bb1f2", "magenta": "#c98bdb", "cyan": "#5fbcc6", "white": "#d4d7dd", "brightblack": "#7f8694",
}  # fmt: skip
_STEPS = {step.caption: step for step in RUNS["python-fastapi"]}

Cells = Sequence[Sequence[pyte.screens.Char]]


class Frame(NamedTuple):
    """A screen, the command above it, and how long it stays."""

    command: str
    cells: Cells
    seconds: float


def record(root: Path) -> list[Frame]:
    """Run both commands in a repository. Return the frames to show."""
    frames = []
    with Terminal(dockertpl("new"), root, rows=ROWS) as terminal:
        for caption, seconds in (("what was found", 5), ("the review", 4), ("written", 3)):
            if caption != "what was found":
                terminal.press(ENTER)
            terminal.see(*_STEPS[caption].sees)
            terminal.settle()
            frames.append(Frame("dockertpl new", terminal.cells, seconds))
        assert terminal.end() == 0
    environment = {"DOCKERTPL_DOCKER": os.environ["DOCKERTPL_DOCKER"], "CI": ""}
    with Terminal(dockertpl("verify"), root, environment, rows=ROWS) as terminal:
        terminal.see("building", "RUN ")
        frames.append(Frame("dockertpl verify", terminal.cells, 2.5))
        assert terminal.end() == 0, terminal.screen
        frames.append(Frame("dockertpl verify", terminal.cells, 7))
    return frames


def as_svg(frames: Sequence[Frame]) -> str:
    """Return the frames as one SVG. Readers who want no motion see the last."""
    rows = max(_used(frame.cells) for frame in frames) + 2
    width, height = round(COLUMNS * WIDTH + 2 * MARGIN), rows * HEIGHT + TITLE + MARGIN
    total = sum(frame.seconds for frame in frames)
    styles, groups, begun = [], [], 0.0
    for number, frame in enumerate(frames):
        start, end = (100 * moment / total for moment in (begun, begun + frame.seconds))
        begun += frame.seconds
        steps = f"0%{{opacity:{int(not number)}}}{start:.2f}%{{opacity:1}}{end:.2f}%{{opacity:0}}100%{{opacity:0}}"
        styles.append(f"@keyframes f{number}{{{steps}}}.f{number}{{animation:f{number} {total}s step-end infinite}}")
        groups.append(f'<g class="f f{number}">{"".join(_lines(frame))}</g>')
    last = len(frames) - 1
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>dockertpl new writes the files; dockertpl verify builds the image and runs it until it is healthy</title>
<style>
text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:{_COLORS["default"]};white-space:pre}}
.b{{font-weight:bold}}.f{{opacity:0}}
{chr(10).join(styles)}
@media (prefers-reduced-motion:reduce){{.f{{animation:none}}.f{last}{{opacity:1}}}}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#22252c"/>
<circle cx="20" cy="18" r="5" fill="#e8707a"/><circle cx="38" cy="18" r="5" fill="#dfb56c"/>\
<circle cx="56" cy="18" r="5" fill="#8fc77b"/>
{chr(10).join(groups)}
</svg>
"""


def _used(cells: Cells) -> int:
    """Return the number of rows down to the last one with text."""
    return max((number for number, row in enumerate(cells, 1) if "".join(cell.data for cell in row).strip()), default=0)


def _lines(frame: Frame) -> Iterator[str]:
    yield _text(0, 0, f"$ {frame.command}", "", bold=True)
    for number, row in enumerate(frame.cells[: _used(frame.cells)], 1):
        column = 0
        for (color, bold), group in groupby(row, key=lambda cell: (cell.fg, cell.bold)):
            text = "".join(cell.data for cell in group)
            blank = len(text) - len(text.lstrip())
            if text.strip():
                yield _text(number, column + blank, text.strip(), _color(color), bold=bold)
            column += len(text)


def _text(row: int, column: int, text: str, color: str, *, bold: bool) -> str:
    x, y = round(MARGIN + column * WIDTH, 1), TITLE + (row + 1) * HEIGHT
    # Fonts differ in width, and columns must stay aligned.
    words = f'<text x="{x}" y="{y}" textLength="{round(len(text) * WIDTH, 1)}" lengthAdjust="spacingAndGlyphs"'
    words += ' class="b"' if bold else ""
    words += f' fill="{color}" style="fill:{color}"' if color else ""
    return f"{words}>{escape(text)}</text>"


def _color(name: str) -> str:
    if name == "default":
        return ""
    return f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else _COLORS[name]


def main() -> None:
    """Write the picture."""
    docker, _ = host.up()
    os.environ.update({name: docker.environ()[name] for name in ("PATH", "DOCKERTPL_DOCKER")})
    bases.ensure(service.BASES, engine=docker)
    with tempfile.TemporaryDirectory() as work:
        root = Path(work, "orders")
        write_sample(root, manager="uv", layout="flat", server="uvicorn")
        subprocess.run(["git", "-C", str(root), "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
        # A new manifest: the engine has not cached its dependencies, so the build takes as long as a first one.
        with (root / "pyproject.toml").open("a") as manifest:
            manifest.write(f"\n# {uuid.uuid4()}\n")
        PICTURE.write_text(as_svg(record(root)))


if __name__ == "__main__":
    main()
