"""Record `dockertpl verify` on a terminal of 80 columns: a success and three failures.

`python -m tests.commands.verify_recording` writes them. A test compares the texts beside this file with a new run. The
pictures are for the documentation.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests import scripted
from tests.wizard import recording
from tests.wizard.recording import Screen
from tests.wizard.terminal import Terminal, dockertpl

SCREENS = Path(__file__).parent / "screens"
_ROWS = 40
_STEP = "[build 2/4] RUN uv sync --locked --no-dev"

_STARTED = [
    "INFO:     Started server process [1]",
    "INFO:     Waiting for application startup.",
    "INFO:     Application startup complete.",
]
_RUNNING = "INFO:     Uvicorn running on http://0.0.0.0:{} (Press CTRL+C to quit)"


class Run(NamedTuple):
    """One run: what the engine does, the options, the text of the live line, and the exit code."""

    scenario: dict[str, Any]
    options: tuple[str, ...]
    lives: str
    code: int


RUNS = {
    "success": Run({"log": [*_STARTED, _RUNNING.format(8000)]}, (), _STEP, 0),
    "page-fails": Run(
        {
            "log": [*_STARTED, _RUNNING.format(8000)],
            "answers": {"/menu": [500, "Internal Server Error"]},
            "said": {
                "/menu": [
                    "ERROR:    Exception in ASGI application",
                    "Traceback (most recent call last):",
                    '  File "/app/app/main.py", line 14, in menu',
                    '    return templates.TemplateResponse(request, "menu.html")',
                    "jinja2.exceptions.TemplateNotFound: 'menu.html' not found in search path: 'app/templates'",
                ]
            },
        },
        (),
        _STEP,
        1,
    ),
    "wrong-port": Run(
        {"log": [*_STARTED, _RUNNING.format(9000)], "deaf": True},
        ("--timeout", "2"),
        "connection refused  | INFO:     Uvicorn running",
        1,
    ),
    "module-missing": Run(
        {
            "log": [
                "Traceback (most recent call last):",
                '  File "/app/app/main.py", line 3, in <module>',
                "    import numpy",
                "ModuleNotFoundError: No module named 'numpy'",
            ],
            "exit": 1,
        },
        (),
        _STEP,
        1,
    ),
}


def record(name: str, folder: Path) -> list[Screen]:
    """Run `verify` with a scripted engine. Return the screen with a live line, and the final one.

    Args:
        name: The name of the run.
        folder: A new folder.
    """
    run = RUNS[name]
    step = {"digest": "d", "name": _STEP, "started": "x"}
    build = [json.dumps({"vertexes": [step]}), json.dumps({"vertexes": [{**step, "completed": "x"}]})]
    cache = folder / "cache"
    client = scripted.docker(folder / "engine", {"build": build, "step_seconds": 0.4, **run.scenario}, cache)
    root = scripted.shop(folder / "shop")
    environment = {"DOCKERTPL_DOCKER": client.executable, "XDG_CACHE_HOME": str(cache), "CI": ""}
    with Terminal(dockertpl("verify", *run.options), root, environment, rows=_ROWS) as terminal:
        terminal.see(run.lives)
        alive = Screen("while it works", terminal.screen, terminal.cells)
        assert terminal.end() == run.code, terminal.screen
        return [alive, Screen("at the end", terminal.screen, terminal.cells)]


def as_text(screens: list[Screen]) -> str:
    """Return screens as text without the seconds, which differ in every run."""
    text = re.sub(r"(building|starting) \d+ s", r"\1 # s", recording.as_text(screens))
    return re.sub(r"\b\d+\.\d+ s\b", "#.# s", text)


def main() -> None:
    """Write every recording."""
    SCREENS.mkdir(exist_ok=True)
    for name in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            screens = record(name, Path(folder))
        (SCREENS / f"verify-{name}.txt").write_text(as_text(screens))
        picture = recording.as_picture(screens[-1], "dockertpl verify")
        (recording.PICTURES / f"verify-{name}.svg").write_text(picture)


if __name__ == "__main__":
    main()
