"""The applications of the bench, their Dockerfiles, and the changes to measure."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import ClassVar, NamedTuple

from tests.samples import next_sample

from . import next_app

HERE = Path(__file__).parent
BASELINE = "guide"


class Side(NamedTuple):
    """One Dockerfile on its own copy of the app."""

    name: str
    folder: Path

    @property
    def tag(self) -> str:
        return f"dockertpl-bench/{self.name}"


Change = Callable[[Side, str], None]


class Application(ABC):
    """An application of the bench.

    Attributes:
        others: The sides with files in sides/<name>/, the guide's first.
        ours: Our sides, and the options of `dockertpl new` for each.
        options: The options of `dockertpl new` for all our sides.
        bases: The base images of all sides.
        port: The port that it listens on. Not every side's file names it.
        page: A path that every side answers with 200, and a text of the answer.
        new_dependencies: Small packages without dependencies of their own, so a round adds one package.
    """

    name: str
    others: tuple[str, ...]
    ours: ClassVar[Mapping[str, Sequence[str]]]
    options: tuple[str, ...]
    bases: tuple[str, ...]
    port: int
    page: tuple[str, str]
    new_dependencies: tuple[str, ...]

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Create a folder with the application and its lock."""

    @abstractmethod
    def code_changes(self) -> dict[str, Change]:
        """Return the code changes to measure, by their names in the table."""

    @abstractmethod
    def add_dependency(self, side: Side, name: str) -> None:
        """Add a dependency and update the lock."""

    def prepare(self, root: Path) -> list[Side]:
        """Copy the app for every side, and add its Dockerfile and ignore file."""
        app = root / "app"
        self.write(app)
        sides = [Side(name, root / name) for name in (*self.others, *self.ours)]
        for side in sides:
            shutil.copytree(app, side.folder)
            if side.name in self.ours:
                command = [sys.executable, "-m", "dockertpl", "new", str(side.folder), "--defaults", "--json"]
                answers = [word for answer in (*self.ours[side.name], *self.options) for word in ("-d", answer)]
                subprocess.run(
                    [*command, *answers],
                    check=True,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "DOCKERTPL_IGNORE_MACHINE": "1"},
                )
            else:
                self.equip(side)
        return sides

    def equip(self, side: Side) -> None:
        """Write another author's files, with repairs."""
        files = HERE / "sides" / self.name
        own = files / f"{side.name}.dockerignore"
        shutil.copy(files / f"{side.name}.Dockerfile", side.folder / "Dockerfile")
        shutil.copy(own if own.exists() else files / "dockerignore", side.folder / ".dockerignore")
        # Repair a file that does not start as published, and keep the diff for review.
        if (repair := files / f"{side.name}.repair.diff").exists():
            command = ["patch", "--quiet", "--fuzz=0", "--strip=1", f"--input={repair}"]
            subprocess.run(command, cwd=side.folder, check=True)


def change_readme(side: Side, name: str) -> None:
    """Add a line to the README."""
    _append(side.folder / "README.md", name)


class FastApi(Application):
    """The Python application in app/."""

    name = "fastapi"
    others = (BASELINE, "uv")
    ours: ClassVar = {
        "slim": (),
        "slim-strip": ("strip=true",),
        "minimal": ("flavor=minimal",),
        "minimal-unstripped": ("flavor=minimal", "strip=false"),
        "distroless": ("flavor=distroless",),
        "distroless-unstripped": ("flavor=distroless", "strip=false"),
    }
    options = ("python_version=3.13",)
    bases = ("python:3.13-slim-trixie", "debian:trixie-slim", "ghcr.io/astral-sh/uv:0.13.9")
    port = 8000
    page = ("/health", "")
    new_dependencies = ("cachetools", "itsdangerous", "tabulate")

    def write(self, folder: Path) -> None:
        shutil.copytree(HERE / "app", folder)
        self._lock(folder)

    def code_changes(self) -> dict[str, Change]:
        return {"code change": lambda side, name: _append(side.folder / "app" / "main.py", name)}

    def add_dependency(self, side: Side, name: str) -> None:
        manifest = side.folder / "pyproject.toml"
        manifest.write_text(manifest.read_text().replace('    "alembic",\n', f'    "alembic",\n    "{name}",\n', 1))
        self._lock(side.folder)

    def _lock(self, folder: Path) -> None:
        export = ("export", "--no-hashes", "--no-default-groups", "--output-file", "requirements.txt")
        for words in (("lock",), export):
            subprocess.run([sys.executable, "-m", "uv", *words, "--quiet"], cwd=folder, check=True)


class NextJs(Application):
    """The Next.js application that next_app.py writes."""

    name = "nextjs"
    others = (BASELINE, "flydotio")
    ours: ClassVar = {"slim": (), "minimal": ("flavor=minimal",), "distroless": ("flavor=distroless",)}
    options = ("node_version=26",)
    bases = ("node:26-trixie-slim", "debian:trixie-slim")
    port = 3000
    page = ("/orders/summary", "Orders summary")
    new_dependencies = ("clsx", "nanoid", "ms")

    def write(self, folder: Path) -> None:
        next_app.write(folder)

    def code_changes(self) -> dict[str, Change]:
        return {
            "text of a page": lambda side, name: _retext(side.folder / next_app.PAGE, "<h1>", name),
            "text of a component": lambda side, name: _retext(side.folder / next_app.COMPONENT, "<p>", name),
        }

    def add_dependency(self, side: Side, name: str) -> None:
        manifest = side.folder / "package.json"
        package = json.loads(manifest.read_text())
        package["dependencies"][name] = "*"
        manifest.write_text(json.dumps(package, indent=2) + "\n")
        next_sample.relock(side.folder, "npm")


APPLICATIONS: dict[str, Application] = {app.name: app for app in (FastApi(), NextJs())}


def _append(file: Path, name: str) -> None:
    with file.open("a") as text:
        text.write(f"# {name} {token_hex(4)}\n")


def _retext(file: Path, tag: str, name: str) -> None:
    """Replace the first word after a tag."""
    before = file.read_text()
    after = re.sub(rf"({re.escape(tag)}\s*)(\[[^]]*\] )?", rf"\g<1>[{name} {token_hex(4)}] ", before, count=1)
    assert after != before
    file.write_text(after)
