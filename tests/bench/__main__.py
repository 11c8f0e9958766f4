"""The guide's FastAPI file, uv's own pattern and ours, on one app in one run: `make bench`.

Same base, same Python, sides in turn, and ratios to the guide, since the machine's speed drifts. Prunes the engine's
build cache before every cold build. Prints a table in Markdown; `--json FILE` keeps the raw figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from tests.engine.bases import ensure
from tests.engine.host import down, up

from dockertpl.engine import build as engine_build
from dockertpl.engine.client import Client, call, find
from dockertpl.engine.image import inspect_image, layers
from dockertpl.engine.run import RunOptions, ready_seconds

HERE = Path(__file__).parent
BASELINE = "guide"
PORT = 8000
# Each is small and brings nothing else, so that a round adds one package.
NEW_DEPENDENCIES = ("cachetools", "itsdangerous", "tabulate")
ROWS = ("cold", "bytes", "code", "readme", "dependency", "start")
BASES = ("python:3.13-slim-trixie", "debian:trixie-slim", "ghcr.io/astral-sh/uv:0.13.9")


class Side(NamedTuple):
    """One Dockerfile on its own copy of the app."""

    name: str
    folder: Path

    @property
    def tag(self) -> str:
        return f"dockertpl-bench/{self.name}"


def _uv(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", *words, "--quiet"], cwd=folder, check=True)


def _lock(folder: Path) -> None:
    _uv(folder, "lock")
    _uv(folder, "export", "--no-hashes", "--no-default-groups", "--output-file", "requirements.txt")


def prepare(root: Path) -> list[Side]:
    """Copy the app for every side and give each its Dockerfile and ignore file."""
    app = root / "app"
    shutil.copytree(HERE / "app", app)
    _lock(app)
    sides = [Side(name, root / name) for name in (BASELINE, "uv", "slim", "minimal", "distroless")]
    for side in sides:
        shutil.copytree(app, side.folder)
        if side.name in (BASELINE, "uv"):
            shutil.copy(HERE / "sides" / f"{side.name}.Dockerfile", side.folder / "Dockerfile")
            shutil.copy(HERE / "sides" / "dockerignore", side.folder / ".dockerignore")
        else:
            command = [sys.executable, "-m", "dockertpl", "new", str(side.folder), "--defaults", "--json"]
            flavour = ["-d", f"flavour={side.name}", "-d", "python_version=3.13"]
            subprocess.run([*command, *flavour], check=True, capture_output=True)
    # The guide's file does not start as printed; the repair is kept as a difference, so that it can be judged.
    repair = str(HERE / "sides" / "guide.repair.diff")
    subprocess.run(["patch", "--quiet", "Dockerfile", repair], cwd=root / BASELINE, check=True)
    return sides


def _build(client: Client, side: Side) -> engine_build.BuildResult:
    return engine_build.build(client, context=side.folder, dockerfile=side.folder / "Dockerfile", tag=side.tag)


def _rounds(
    client: Client, sides: Iterable[Side], names: Iterable[str], change: Callable[[Side, str], None]
) -> dict[str, list[engine_build.BuildResult]]:
    """Build every side once for every name, in turn, after `change(side, name)`.

    Each round begins with another side: one that always came after a long build would wait for what that left to do.
    """
    in_turn = list(sides)
    results: dict[str, list[engine_build.BuildResult]] = {side.name: [] for side in in_turn}
    for name in names:
        in_turn.append(in_turn.pop(0))
        for side in in_turn:
            change(side, name)
            os.sync()  # so that no side waits for what the one before it has still to write
            results[side.name].append(_build(client, side))
            print(f"{name:>14} {side.name:<11} {results[side.name][-1].seconds:6.2f} s", file=sys.stderr)  # noqa: T201
    return results


def _append(file: str) -> Callable[[Side, str], None]:
    def change(side: Side, name: str) -> None:
        with (side.folder / file).open("a") as text:
            text.write(f"# {name} {token_hex(4)}\n")

    return change


def _add_dependency(side: Side, name: str) -> None:
    manifest = side.folder / "pyproject.toml"
    manifest.write_text(manifest.read_text().replace('    "alembic",\n', f'    "alembic",\n    "{name}",\n', 1))
    _lock(side.folder)


def measure(
    client: Client, sides: list[Side], *, rows: Collection[str], rounds: int, starts: int
) -> dict[str, dict[str, list[float]]]:
    """Return the figures of every side: row -> side -> values. Seconds, bytes, or missed steps.

    Args:
        client: The engine's client.
        sides: What is compared.
        rows: Which of `ROWS` are measured.
        rounds: Cold builds and new dependencies of each side; code is changed twice as often and once more.
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
    # One build of each without a count: the cold builds pruned each other's cache.
    for side in sides:
        _build(client, side)
    if "bytes" in rows:
        figures["unpacked, bytes"] = {s.name: [float(sum(y.bytes for y in layers(client, s.tag)))] for s in sides}
    if "code" in rows:
        code = _rounds(client, sides, [f"code {number}" for number in range(2 * rounds + 1)], _append("app/main.py"))
        seconds("code change, s", code)
        missed("code change, missed steps", code)
    if "readme" in rows:
        missed("README change, missed steps", _rounds(client, sides, ["readme"], _append("README.md")))
    if "dependency" in rows:
        seconds("new dependency, s", _rounds(client, sides, NEW_DEPENDENCIES[:rounds], _add_dependency))
    if "start" in rows:
        # The guide's file and uv's pattern name no port.
        facts = {side.name: dataclasses.replace(inspect_image(client, side.tag), port=PORT) for side in sides}
        ready: dict[str, list[float]] = {side.name: [] for side in sides}
        for _ in range(starts):
            for side in sides:
                ready[side.name].append(ready_seconds(client, facts[side.name], name="bench", options=RunOptions()))
        figures["start to first answer, s"] = ready
    return figures


def _prune(client: Client) -> None:
    call(client, "builder", "prune", "--all", "--force", timeout=300)


def table(figures: dict[str, dict[str, list[float]]]) -> str:
    """Return the medians with their spread, and in brackets the ratio to the guide, as a Markdown table."""
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
    parser.add_argument("--rounds", type=int, default=3, help="cold builds of each side (default 3)")
    parser.add_argument("--starts", type=int, default=9, help="starts of each side (default 9)")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, help="measure these alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the raw figures")
    options = parser.parse_args()
    chosen = {"rows": options.rows, "rounds": options.rounds, "starts": options.starts}
    engine, registry = up()
    os.environ.update(engine.environ())
    try:
        bases = ensure(BASES, engine=engine)
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(find(), prepare(Path(folder)), **chosen)
    finally:
        down(engine=engine.started, registry=registry.started)
    print(table(figures))  # noqa: T201
    print("\nStand-in bases: " + (", ".join(name for name, base in bases.items() if base.standin) or "none"))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
