"""Compare the guide's Dockerfile, another author's and ours on one application: `make bench`, `make bench APP=nextjs`.

All sides use the same base images. They take turns in a changing order, and results are ratios to the guide, since the
machine's speed drifts. Every side must answer a page before the measurement. The bench prunes the engine's build cache
before every cold build. It prints a Markdown table; `--json FILE` keeps the raw figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Collection, Iterable
from pathlib import Path

from tests.engine.bases import ensure
from tests.engine.host import down, up

from dockertpl.engine import build as engine_build
from dockertpl.engine.client import Client, call, find
from dockertpl.engine.container import logs, state
from dockertpl.engine.image import ImageFacts, inspect_image
from dockertpl.engine.layers import layers
from dockertpl.engine.probe import ask
from dockertpl.engine.run import ready_seconds, started
from dockertpl.engine.strict import RunOptions
from dockertpl.errors import DockertplError

from .applications import APPLICATIONS, BASELINE, Application, Change, Side, change_readme

ROWS = ("cold", "bytes", "code", "readme", "dependency", "start")
SERVING_SECONDS = 60


def _build(client: Client, side: Side) -> engine_build.BuildResult:
    return engine_build.build(client, context=side.folder, dockerfile=side.folder / "Dockerfile", tag=side.tag)


def _rounds(
    client: Client, sides: Iterable[Side], names: Iterable[str], change: Change
) -> dict[str, list[engine_build.BuildResult]]:
    """Build every side once for every name, in turn, after `change(side, name)`.

    Each round has another order, the same in every run: one that always came after a long build would wait for what
    that left to do.
    """
    in_turn = list(sides)
    order = random.Random(0)
    results: dict[str, list[engine_build.BuildResult]] = {side.name: [] for side in in_turn}
    for name in names:
        order.shuffle(in_turn)
        for side in in_turn:
            change(side, name)
            os.sync()  # or a side would wait for the disk writes of the one before it
            results[side.name].append(_build(client, side))
            print(f"{name:>14} {side.name:<11} {results[side.name][-1].seconds:6.2f} s", file=sys.stderr)  # noqa: T201
    return results


def check(client: Client, app: Application, side: Side) -> None:
    """Build a side, and check that it answers the application's page.

    Raises:
        RuntimeError: It cannot be built, or does not answer.
    """
    path, text = app.page
    try:
        _build(client, side)
        with started(client, _facts(client, app, side), name="bench", options=RunOptions()) as running:
            deadline = time.monotonic() + SERVING_SECONDS
            answer = ask(running.port or 0, path)
            while answer.status is None and time.monotonic() < deadline and state(client, running.name).running:
                answer = ask(running.port or 0, path)
            body = answer.status == 200 and _get(running.port or 0, path)
            if not body or text not in body:
                said = "\n".join(logs(client, running.name, 30))
                raise RuntimeError(f"{side.name} does not serve {path}: {answer}\n{said}")
    except DockertplError as error:
        raise RuntimeError(f"{side.name} does not serve: {error}") from error


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def _facts(client: Client, app: Application, side: Side) -> ImageFacts:
    # Not every side's file names a port.
    return dataclasses.replace(inspect_image(client, side.tag), port=app.port)


def measure(
    client: Client, app: Application, sides: list[Side], *, rows: Collection[str], rounds: int, starts: int
) -> dict[str, dict[str, list[float]]]:
    """Return the figures by row and side: seconds, bytes, or missed steps.

    Args:
        client: The engine's client.
        app: The application to package.
        sides: The Dockerfiles to compare.
        rows: Which of `ROWS` are measured.
        rounds: Cold builds and new dependencies of each side. Code changes run twice as often, plus one.
        starts: Starts of each side.
    """
    figures: dict[str, dict[str, list[float]]] = {}

    def seconds(row: str, results: dict[str, list[engine_build.BuildResult]]) -> None:
        figures[row] = {side: [result.seconds for result in values] for side, values in results.items()}

    def missed(row: str, results: dict[str, list[engine_build.BuildResult]]) -> None:
        figures[row] = {
            side: [float(result.steps - result.cached_steps) for result in values] for side, values in results.items()
        }

    if "cold" in rows:
        numbered = [f"cold {number}" for number in range(rounds)]
        seconds("cold build, s", _rounds(client, sides, numbered, lambda _side, _name: _prune(client)))
    # Build each once without counting: the cold builds pruned each other's cache.
    for side in sides:
        _build(client, side)
    if "bytes" in rows:
        figures["unpacked, bytes"] = {s.name: [float(sum(y.bytes for y in layers(client, s.tag)))] for s in sides}
    if "code" in rows:
        for what, change in app.code_changes().items():
            code = _rounds(client, sides, [f"code {number}" for number in range(2 * rounds + 1)], change)
            seconds(f"{what}, s", code)
            missed(f"{what}, missed steps", code)
    if "readme" in rows:
        missed("README change, missed steps", _rounds(client, sides, ["readme"], change_readme))
    if "dependency" in rows:
        seconds("new dependency, s", _rounds(client, sides, app.new_dependencies[:rounds], app.add_dependency))
    if "start" in rows:
        facts = {side.name: _facts(client, app, side) for side in sides}
        ready: dict[str, list[float]] = {side.name: [] for side in sides}
        for _ in range(starts):
            for side in sides:
                ready[side.name].append(ready_seconds(client, facts[side.name], name="bench", options=RunOptions()))
        figures["start to first answer, s"] = ready
    return figures


def _prune(client: Client) -> None:
    call(client, "builder", "prune", "--all", "--force", timeout=300)


def table(figures: dict[str, dict[str, list[float]]]) -> str:
    """Return a Markdown table of medians, their spread and, in brackets, the ratio to the guide."""
    names = list(next(iter(figures.values())))
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for row, by_side in figures.items():
        base = statistics.median(by_side[BASELINE])
        cells = []
        for name in names:
            values = by_side[name]
            middle = statistics.median(values)
            form = "{:.1f} MB" if "bytes" in row else "{:.0f}" if "steps" in row else "{:.2f}"
            text = form.format(middle / 1e6 if "bytes" in row else middle)
            if len(values) > 1 and "steps" not in row:
                text += f" ({min(values):.2f} to {max(values):.2f})"
            cells.append(text + (f" **{middle / base:.2f}**" if base and "steps" not in row else ""))
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", nargs="?", choices=APPLICATIONS, default="fastapi", help="default: fastapi")
    parser.add_argument("--rounds", type=int, default=3, help="cold builds of each side (default 3)")
    parser.add_argument("--starts", type=int, default=9, help="starts of each side (default 9)")
    parser.add_argument("--sides", nargs="+", metavar="SIDE", help="measure these alone, the guide among them")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, help="measure these alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the raw figures")
    options = parser.parse_args()
    app = APPLICATIONS[options.app]
    chosen = {"rows": options.rows, "rounds": options.rounds, "starts": options.starts}
    engine, registry = up()
    os.environ.update(engine.environ())
    try:
        bases = ensure(app.bases, engine=engine)
        with tempfile.TemporaryDirectory() as folder:
            sides = app.prepare(Path(folder))
            sides = [side for side in sides if side.name in (options.sides or [side.name])]
            for side in sides:
                check(find(), app, side)
            figures = measure(find(), app, sides, **chosen)
    finally:
        down(engine=engine.started, registry=registry.started)
    print(table(figures))  # noqa: T201
    print("\nStand-in bases: " + (", ".join(name for name, base in bases.items() if base.standin) or "none"))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
