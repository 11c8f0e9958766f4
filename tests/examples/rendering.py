"""The content of `examples/`: each folder has the files that some commands write into a sample application."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parity import ROOT
from tests.samples.adopt_sample import EMPTY_LOCKS
from tests.samples.next_sample import write_next_sample
from tests.samples.sample import write_sample

from dockertpl import cli
from dockertpl.template.tree import File, Tree

FOLDER = ROOT / "examples"
DATA = Path(__file__).with_name("examples.toml")
LINE = 100
#: In these samples, detection reads only the format of a lock.
_LOCKS = {**EMPTY_LOCKS, "uv": ("uv.lock", 'version = 1\nrequires-python = ">=3.11"\n')}


@dataclass(frozen=True, kw_only=True)
class Example:
    """A folder of `examples/`, as `examples.toml` describes it.

    Attributes:
        name: The name of the folder.
        title: The heading of its README.
        repository: The name of the folder in which the commands run.
        where: The repository in which the commands run, in a few words.
        commands: Run one after another at the root of the repository.
        special: What the files show.
        python: Arguments of `write_sample`.
        nextjs: Arguments of `write_next_sample`.
    """

    name: str
    title: str
    repository: str
    where: str
    commands: tuple[str, ...]
    special: str
    python: Mapping[str, str] | None = None
    nextjs: Mapping[str, str] | None = None

    def write_application(self, root: Path, *, lock: bool) -> None:
        """Write the sample application into a new repository.

        Args:
            root: The root of the repository.
            lock: Whether to write real locks. The first run needs the network.
        """
        for write, arguments in ((write_sample, self.python), (write_next_sample, self.nextjs)):
            if arguments is None:
                continue
            options: dict[str, Any] = dict(arguments)
            folder = root / options.pop("folder", ".")
            write(folder, **options, lock=lock)
            # The repository is the one around it.
            shutil.rmtree(folder / ".git")
            if not lock:
                name, text = _LOCKS[options["manager"]]
                (folder / name).write_text(text)
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root)], check=True)

    def run(self, root: Path) -> Tree:
        """Run the commands in a repository, and return what they write."""
        written = set[str]()
        for command in self.commands:
            written.update(_run(shlex.split(command)[1:], root))
        return {
            path: File(content=(root / path).read_bytes(), executable=os.access(root / path, os.X_OK))
            for path in sorted(written)
        }

    def rendered(self) -> Tree:
        """Return the files that the commands write, without the network and without a real lock."""
        with tempfile.TemporaryDirectory() as work:
            root = Path(work, self.repository)
            root.mkdir()
            self.write_application(root, lock=False)
            return self.run(root)

    def readme(self, paths: list[str]) -> str:
        """Return the README of the example.

        Args:
            paths: The files that the commands write.
        """
        commands = "\n".join(f"$ {_wrapped(command)}" for command in self.commands)
        files = "\n".join(f"* [`{path}`]({path})" for path in paths)
        first = f"dockertpl wrote these files into {self.where}."
        if self.python or self.nextjs:
            first += " The application is not here."
        return (
            f"# {self.title}\n\n{_filled(first)}\n\n```console\n{commands}\n```\n\n"
            f"{_filled(self.special)}\n\n{files}\n"
        )


def examples() -> list[Example]:
    """Return the examples of `examples.toml`."""
    read = tomllib.loads(DATA.read_text())
    return [Example(name=name, **{**table, "commands": tuple(table["commands"])}) for name, table in read.items()]


def files(example: Example) -> Tree:
    """Return every file of an example's folder, with its README."""
    tree = example.rendered()
    return {**tree, "README.md": File(content=example.readme(list(tree)).encode(), executable=False)}


def index() -> str:
    """Return the README of `examples/`."""
    rows = "\n".join(f"* [{example.name}]({example.name}/): {example.title}" for example in examples())
    return (
        "# Examples\n\nEach folder has the files that dockertpl writes for one application. Its README has the "
        f"command.\nA test renders the files again and compares.\n\n{rows}\n\n"
        "After a change of the templates, `python -m tests.examples` writes the folders again.\n"
    )


def _run(arguments: list[str], root: Path) -> list[str]:
    """Run dockertpl in this process and return the files that it wrote."""
    printed = io.StringIO()
    with _in(root), contextlib.redirect_stdout(printed):
        code = cli._run([*arguments, "--json"])
    result = json.loads(printed.getvalue())
    if code:
        raise RuntimeError(f"dockertpl {shlex.join(arguments)} exited {code}: {result}")
    return [str(path) for path in result["written"]]


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    """Change to a folder, and hide this machine's proxy settings."""
    before = os.environ.get("DOCKERTPL_IGNORE_MACHINE")
    os.environ["DOCKERTPL_IGNORE_MACHINE"] = "1"
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        del os.environ["DOCKERTPL_IGNORE_MACHINE"]
        if before is not None:
            os.environ["DOCKERTPL_IGNORE_MACHINE"] = before


def _wrapped(command: str) -> str:
    """Return a command on one line. If it is long, put each answer on its own line."""
    return command if len(command) <= LINE - len("$ ") else command.replace(" -d ", " \\\n    -d ")


def _filled(text: str) -> str:
    """Wrap a paragraph."""
    return textwrap.fill(text.strip(), LINE, break_on_hyphens=False, break_long_words=False)
