"""Compare `fleet plan` and `fleet apply` with a loop of `copier update`: `python -m tests.bench.fleet`.

The repositories come from the real template, and every third has manual edits. The next version changes a file of each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.parity import by_us

from dockertpl.template.environment import Template
from dockertpl.template.source import TemplateSource
from dockertpl.template.tree import Tree

_ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "v900.0.0", "v900.1.0"
_KINDS = ("python-fastapi", "nextjs-standalone", "sandbox-multi-runtime")


class Took(NamedTuple):
    """The cost of a command: seconds on the clock, and the peak memory of all its processes, in megabytes.

    Shared memory counts once. Short git processes count when a sample sees them, four times a second.
    """

    seconds: float
    megabytes: float


def make_template(folder: Path) -> Path:
    """Make a repository of the template with two versions."""
    template = folder / "template"
    template.mkdir()
    for name in ("copier.yml", "templates", "CHANGELOG.md"):
        source = _ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, template / name)
    _git(template, "init", "--quiet")
    _tag(template, OLD)
    for path in template.glob("templates/kinds/*/Dockerfile.jinja"):
        path.write_text(f"{path.read_text().rstrip()}\n# The next version has a line more.\n")
    _tag(template, NEW)
    _git(template, "worktree", "add", "--quiet", "--detach", str(folder / "old"), OLD)
    return template


def make_fleet(folder: Path, template: Path, count: int) -> Path:
    """Make the repositories, each with one git process. With three, five thousand would take a quarter of an hour."""
    fleet = folder / f"fleet-{count}"
    empty = folder / "empty"
    _git(folder, "init", "--quiet", "--template=", str(empty))
    source = Template(TemplateSource(root=folder / "old", src_path=str(template), commit=OLD))
    for number in range(count):
        name = f"app-{number:05}"
        root = fleet / name
        chance = random.Random(number)
        answers = {"kind": chance.choice(_KINDS), "name": name}
        files = dict(by_us(source, name, answers))
        if number % 3 == 0:
            ignored = files[".dockerignore"]
            files[".dockerignore"] = replace(ignored, content=ignored.content + b"# mine\nnotes\n")
        for path, file in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(file.content)
            (root / path).chmod(0o755 if file.executable else 0o644)
        shutil.copytree(empty / ".git", root / ".git")
        _commit(root, files)
    return fleet


def _commit(root: Path, files: Tree) -> None:
    lines = [b"commit HEAD\ncommitter Test <test@example.invalid> 1750000000 +0000\ndata 5\nmine\n"]
    for path, file in files.items():
        mode = "100755" if file.executable else "100644"
        lines += [f"M {mode} inline {path}\ndata {len(file.content)}\n".encode(), file.content, b"\n"]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input=b"".join(lines), check=True)


def copier(fleet: Path, count: int, folder: Path) -> list[float]:
    """Return the seconds that `copier update` takes in each repository, one process each."""
    took = []
    for root in sorted(fleet.iterdir())[:count]:
        copy = folder / "copies" / root.name
        shutil.copytree(root, copy, symlinks=True)
        _git(copy, "reset", "--quiet")
        command = ["copier", "update", "--defaults", "--quiet", "--vcs-ref", NEW]
        took.append(_timed([sys.executable, "-m", *command], copy).seconds)
    shutil.rmtree(folder / "copies")
    return took


def plan(fleet: Path, template: Path, path: Path) -> Took:
    """Plan an update of a fleet."""
    options = ["--template", str(template), "--to", NEW, "--output", str(path), "--json"]
    return _timed([sys.executable, "-m", "dockertpl", "fleet", "plan", str(fleet), *options], fleet.parent)


def apply(path: Path) -> Took:
    """Apply a plan to local branches."""
    command = ["fleet", "apply", str(path), "--json"]
    return _timed([sys.executable, "-m", "dockertpl", *command], path.parent)


def _timed(command: Sequence[str], folder: Path) -> Took:
    paths = os.pathsep.join([str(_ROOT / "generator"), str(_ROOT)])
    environ = {**os.environ, "PYTHONPATH": paths, "COPIER_CACHE_DIR": str(folder / ".copier-cache")}
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    most = 0.0
    while True:
        try:
            _, said = process.communicate(timeout=0.25)
            break
        except subprocess.TimeoutExpired:
            most = max(most, _megabytes(process.pid))
    if process.returncode not in (0, 1):
        raise RuntimeError(said.decode())
    return Took(time.monotonic() - began, most)


def _megabytes(process: int) -> float:
    """Return the memory of a process and all its descendants."""
    total = 0
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (OSError, ProcessLookupError):
        return 0
    return total / 1024 + sum(_megabytes(int(child)) for child in children)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def _tag(folder: Path, tag: str) -> None:
    _git(folder, "add", "--all", "--force")
    _git(folder, "commit", "--quiet", "--message", tag)
    _git(folder, "tag", tag)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,500,5000", help="how many repositories")
    parser.add_argument("--copier", type=int, default=20, help="how many of them Copier updates")
    options = parser.parse_args()
    for role in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.invalid"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = make_template(folder)
        for size in map(int, options.sizes.split(",")):
            fleet = make_fleet(folder, template, size)
            each = copier(fleet, min(options.copier, size), folder) if size == 500 else []
            path = folder / f"plan-{size}.jsonl"
            planned, applied = plan(fleet, template, path), apply(path)
            figures = {
                "repositories": size,
                "plan_seconds": round(planned.seconds, 2),
                "apply_seconds": round(applied.seconds, 2),
                "plan_ms_each": round(planned.seconds / size * 1000, 1),
                "apply_ms_each": round(applied.seconds / size * 1000, 1),
                "megabytes": [round(planned.megabytes), round(applied.megabytes)],
            }
            if each:
                loop = statistics.mean(each) * size
                figures |= {
                    "copier_seconds_each": [round(min(each), 2), round(statistics.mean(each), 2), round(max(each), 2)],
                    "plan_is_one_in": round(loop / planned.seconds),
                    "apply_is_one_in": round(loop / applied.seconds),
                }
            print(json.dumps(figures), flush=True)  # noqa: T201
            shutil.rmtree(fleet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
