"""Record the screens of the wizard for each kind of image.

`python -m tests.wizard.recording` writes them. A test compares the texts beside this file with a new run. The pictures
are for the documentation.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from . import repositories
from .terminal import COLUMNS, DOWN, ENTER, ESCAPE, Terminal, dockertpl

SCREENS = Path(__file__).parent / "screens"
PICTURES = Path(__file__).parents[2] / "docs" / "images"
#: Which screens are pictures in the documentation, by kind and caption.
SHOWN = {
    ("python-fastapi", "what was found"): "wizard-found",
    ("python-fastapi", "what will not do"): "wizard-wrong",
    ("python-fastapi", "a choice, with what it was measured to cost"): "wizard-choice",
    ("python-fastapi", "the review"): "wizard-review",
    ("old-dockerfile", "the review"): "wizard-adopt",
}


#: One run is recorded on a narrow and on a wide terminal, too.
WIDE = "python-fastapi"
OTHER_WIDTHS = (60, 200)


def name_of(kind: str, columns: int = COLUMNS) -> str:
    """Return the file of a recording."""
    return f"{kind}.txt" if columns == COLUMNS else f"{kind}-{columns}-columns.txt"


class Step(NamedTuple):
    """A step of a user, and its result.

    Attributes:
        caption: The caption of the screen.
        keys: The keys to press.
        sees: The texts on the screen afterward.
    """

    caption: str
    keys: Sequence[str]
    sees: Sequence[str]


class Screen(NamedTuple):
    """One screen: its caption, its text, and its cells."""

    caption: str
    text: str
    cells: list[list[pyte.screens.Char]]


_LIST = "(arrows, Enter"
_LONG_LIST = "(type to filter"
_ALL = [DOWN, DOWN, ENTER]


def _tour(name_comes: str, name: str) -> list[Step]:
    """Return the common steps of all kinds: open a screen, go back, make an error, continue."""
    return [
        Step("the first of all questions", _ALL, ["1 of", _LIST]),
        Step("the second", [ENTER], ["2 of", name_comes, "Enter takes it"]),
        Step("what will not do", ["!"], ["Invalid value:"]),
        Step("back at the first, with what was said", [ESCAPE], ["Your answer:", _LIST]),
        Step("forward again, and another name", [ENTER, "\x15", name, ENTER], ["3 of"]),
        Step("back at the name", [ESCAPE], [f"Your answer: {name}.", "Enter takes it"]),
        Step("back at the start", [ESCAPE, ESCAPE], ["go through every question"]),
    ]


_REVIEW = [
    Step("the review", [ENTER], ["Write it?", _LIST]),
    Step("the files", [DOWN, ENTER], ["Show which file?", "> .copier-answers.yml"]),
    Step("a file, as a difference", [ENTER], ["+platforms: amd64", "Show which file?"]),
    Step("back at the review", [ESCAPE], ["Write it?", "show the files first"]),
]
_WRITTEN = Step("written", [ENTER], ["The same with Copier:", "copier copy --defaults"])
_KIND = Step("nothing was found", [], ["No FastAPI or Next.js application", "What now?", _LIST])

#: The steps of the user, by repository.
RUNS: dict[str, list[Step]] = {
    "python-fastapi": [
        Step("what was found", [], ["What now?", _LIST]),
        *_tour("orders", "shop-api"),
        *_REVIEW,
        Step("what can be changed", [DOWN, DOWN, ENTER], ["Change what?", _LIST]),
        Step("the answers of a group", [DOWN, ENTER], ["Image: which?", "Flavor", _LONG_LIST]),
        Step("a choice, with what it was measured to cost", [ENTER], ["Measured: slim", _LIST]),
        Step("chosen", [DOWN, ENTER], ["Image: which?", "minimal  (you)"]),
        Step("reviewed again", [ESCAPE, ESCAPE], ["Write it?", _LIST]),
        _WRITTEN,
    ],
    "old-dockerfile": [
        Step("what was found, and a Dockerfile", [], ["Found Dockerfile.", "What now?", _LIST]),
        Step("the review", [ENTER], ["no longer reloads", "curl", "Write it?", _LIST]),
        Step("the old one beside the new one", [ENTER], ["--port", "8080", "Write it?", _LIST]),
        Step("without what is dropped", [ENTER], ["--adopt --accept-dropped", "The same with Copier"]),
    ],
    "nextjs-standalone": [
        Step("what was found", [], ["What now?", _LIST]),
        *_tour("shop", "shop-web"),
        *_REVIEW,
        Step("next.config is to be changed too", [DOWN, DOWN, DOWN, ENTER], ["your file: changed", "do not put"]),
        _WRITTEN,
    ],
    "sandbox-multi-runtime": [
        _KIND,
        Step("a sandbox, then", [DOWN, DOWN, DOWN, ENTER], ["What now?", _LIST]),
        *_tour("shop", "shop-lab"),
        *_REVIEW,
        _WRITTEN,
    ],
    "shared-base": [
        _KIND,
        Step("bases, then", [DOWN, DOWN, DOWN, DOWN, ENTER], ["What now?", _LIST]),
        *_tour("shop", "shop-base"),
        *_REVIEW,
        _WRITTEN,
    ],
}


def record(kind: str, root: Path, columns: int = COLUMNS) -> list[Screen]:
    """Run the wizard as a user would.

    Args:
        kind: The kind of image.
        root: The repository of that kind.
        columns: The width of the terminal.

    Returns:
        Every screen.
    """
    found = []
    with Terminal(dockertpl("new"), root, columns=columns) as terminal:
        for step in RUNS[kind]:
            # One key at a time, since a user sees the effect of each.
            for key in step.keys:
                terminal.press(key)
                terminal.settle(key)
            terminal.see(*step.sees)
            terminal.settle()
            found.append(Screen(step.caption, terminal.screen, terminal.cells))
        terminal.press(ENTER)
        assert terminal.end() == 0
    return found


def as_text(screens: Sequence[Screen]) -> str:
    """Return the screens as one text, each below its caption."""
    return "\n".join(f"{f' {screen.caption} '.center(COLUMNS, '=')}\n{screen.text}" for screen in screens)


def as_picture(screen: Screen, title: str) -> str:
    """Return a screen as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    rows = list(screen.cells)
    while rows and not "".join(cell.data for cell in rows[-1]).strip():
        rows.pop()
    for row in rows:
        line = Text()
        for cell in row:
            line.append(cell.data, Style(color=_color(cell.fg), bold=cell.bold))
        line.rstrip()
        console.print(line)
    svg = console.export_svg(title=title, unique_id="terminal")
    # Readers of the documentation must not download a font.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _color(name: str) -> str | None:
    if name == "default":
        return None
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return {"brown": "yellow", "brightblack": "bright_black"}.get(name, name)


def main() -> None:
    """Write every recording."""
    SCREENS.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    for columns in OTHER_WIDTHS:
        with tempfile.TemporaryDirectory() as folder:
            screens = record(WIDE, repositories.make(WIDE, Path(folder)), columns)
        (SCREENS / name_of(WIDE, columns)).write_text(as_text(screens))
    for kind in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            screens = record(kind, repositories.make(kind, Path(folder)))
        (SCREENS / name_of(kind)).write_text(as_text(screens))
        for screen in screens:
            if name := SHOWN.get((kind, screen.caption)):
                (PICTURES / f"{name}.svg").write_text(as_picture(screen, "dockertpl new"))


if __name__ == "__main__":
    main()
