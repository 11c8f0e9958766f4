"""`verify --baseline`: compare an image with the figures of an earlier run, or with an image built from a commit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from dockertpl import git
from dockertpl.commands.budgets import Again, Figures, Files
from dockertpl.commands.dockerfile_to_build import Subject, locate
from dockertpl.engine.layer_cache import Layer
from dockertpl.errors import BadInputError, BuildFailedError, NoGitError
from dockertpl.fleet.git_objects import Objects, Scratch
from dockertpl.screen import say

_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_ANOTHER = "Name a commit that has one, or a file written by `dockertpl verify --json`."

#: Builds and measures an image and returns its figures.
Measure: TypeAlias = Callable[[Subject, str], Figures]


@contextmanager
def opened(
    named: str | None, subject: Subject, destination: Path, dockerfile: Path | None, *, quiet: bool
) -> Iterator[Callable[[Measure], Figures | None]]:
    """Find the baseline, and give a function that returns its figures. It builds a commit only when you call it.

    A commit's files go into a temporary folder, without hooks and filters. The repository is only read.

    Args:
        named: A file of figures, a commit, or None to compare with nothing.
        subject: The image to verify.
        destination: The destination of `verify`.
        dockerfile: The Dockerfile of the command line, or None.

    Raises:
        BadInputError: The baseline is neither a file nor a commit, or the commit has no such Dockerfile.
        NoGitError: Git is missing, or cannot read the repository.
    """
    if named is None:
        yield lambda measure: None
    elif Path(named).is_file():
        figures = from_file(Path(named))
        yield lambda measure: figures
    else:
        with TemporaryDirectory(prefix="dockertpl-") as folder:
            root, commit = _commit(named, destination.resolve())
            tree = Path(folder) / root.name
            _write(root, commit, tree, Path(folder))
            before = _located(named, subject, tree, root, destination.resolve(), dockerfile)
            yield lambda measure: _built(named, commit, before, measure, quiet)


def from_file(path: Path) -> Figures:
    """Return the figures from a file of `verify --json`.

    Raises:
        BadInputError: The file has no figures, or those of an image that did not build.
    """
    try:
        return figures(path.name, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInputError(
            f"--baseline {path}: the file has no figures of an image.",
            "Write them with: dockertpl verify --json > baseline.json",
        ) from error


def _commit(named: str, folder: Path) -> tuple[Path, str]:
    """Return the repository's root and the full hash of a commit. It may be on a remote branch."""
    try:
        root = Path(git.run("rev-parse", "--show-toplevel", cwd=folder))
    except NoGitError as error:
        if "not a git repository" not in error.message:
            raise
        raise BadInputError(f"--baseline {named}: no such file, and this is not a Git repository.") from error
    for name in (named, f"refs/remotes/origin/{named}"):
        try:
            found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=root)
            return root, found
        except NoGitError:
            continue
    raise BadInputError(
        f"--baseline {named}: no such file or commit.",
        f"A checkout in CI has only one commit. Fetch the other first: git fetch --depth 1 origin {named}:{named}",
    )


def _write(root: Path, commit: str, tree: Path, folder: Path) -> None:
    """Write a commit's files into a folder, with the files of Git LFS instead of their pointers."""
    places = ("--path-format=absolute", "--show-object-format", "--git-path", "objects", "--git-path", "lfs/objects")
    object_format, objects, large = git.run("rev-parse", *places, cwd=root).splitlines()
    tree.mkdir()
    scratch = Scratch(folder)
    with Objects(scratch.git_dir(object_format), Path(objects), object_format=object_format) as store:
        store.check_out(commit, tree, index=folder / "index")
    for path in tree.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 1024:
            continue
        content = path.read_bytes()
        if content.startswith(_POINTER):
            name = content.partition(b"oid sha256:")[2][:64].decode(errors="replace")
            stored = Path(large, name[:2], name[2:4], name)
            if not name.isalnum() or not stored.is_file():
                raise BadInputError(
                    f"--baseline {commit[:10]}: {path.relative_to(tree)} is in Git LFS, and this version is not here.",
                    f"Fetch it first: git lfs fetch origin {commit}",
                )
            shutil.copyfile(stored, path)


def _located(
    named: str, subject: Subject, tree: Path, root: Path, destination: Path, dockerfile: Path | None
) -> Subject:
    # `locate` looks for this marker of a root. It is removed before the build.
    marker = tree / ".git"
    marker.mkdir()
    try:
        given = tree / subject.dockerfile.relative_to(root) if dockerfile is not None else None
        found = locate(tree / destination.relative_to(root), given)
    except (BadInputError, ValueError) as error:
        raise BadInputError(
            f"--baseline {named}: that commit has no Dockerfile for {subject.name} there.", _ANOTHER
        ) from error
    finally:
        marker.rmdir()
    return found


def _built(named: str, commit: str, before: Subject, measure: Measure, quiet: bool) -> Figures:
    say(f"Building {named} ({commit[:10]}) for comparison …", quiet=quiet)
    try:
        return measure(before, named)
    except BuildFailedError as error:
        raise BuildFailedError(f"The baseline {named} does not build: {error.message}", _ANOTHER) from error


def figures(name: str, facts: Mapping[str, Any], *, again: Again | None = None, files: Files | None = None) -> Figures:
    """Return the figures to compare, from the facts of `verify`.

    Args:
        name: The name of the image.
        facts: The facts of `verify`.
        again: A function that starts the image once more.
        files: A function that returns its files.
    """
    layers = [Layer(int(layer["bytes"]), str(layer["instruction"]), "") for layer in facts["layers"]]
    ready = facts["ready_seconds"]
    ready = None if ready is None else float(ready)
    return Figures(name=name, bytes=int(facts["image_bytes"]), ready=ready, layers=layers, again=again, files=files)
