"""What `verify --baseline` compares an image with: the figures of an earlier run, or a commit that is built for it."""

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
_ANOTHER = "Name a commit that has one, or a file that `dockertpl verify --json` wrote."

#: Builds and measures a subject; returns its figures.
Measure: TypeAlias = Callable[[Subject, str], Figures]


@contextmanager
def opened(
    named: str | None, subject: Subject, destination: Path, dockerfile: Path | None, *, quiet: bool
) -> Iterator[Callable[[Measure], Figures | None]]:
    """Find what an image is compared with, and give a function that returns its figures, built when it is called.

    A commit's files are written into a temporary folder, without hooks and filters; the repository is only read.

    Args:
        named: A file of figures or a commit; None compares with nothing.
        subject: What is verified.
        destination: Where `verify` was asked to look.
        dockerfile: The Dockerfile that was given, or None.
        quiet: Whether to print nothing.

    Raises:
        BadInputError: It is neither a file nor a commit, or the commit has no such Dockerfile.
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
    """Return the figures that an earlier `verify --json` wrote.

    Raises:
        BadInputError: The file holds something else, or the figures of an image that did not build.
    """
    try:
        return figures(path.name, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInputError(
            f"--baseline {path}: there are no figures of an image in it.",
            "Write them with: dockertpl verify --json > baseline.json",
        ) from error


def _commit(named: str, folder: Path) -> tuple[Path, str]:
    """Return the repository's root and the full name of a commit, one of the remote's branches included."""
    try:
        root = Path(git.run("rev-parse", "--show-toplevel", cwd=folder))
    except NoGitError as error:
        if "not a git repository" not in error.message:
            raise
        raise BadInputError(f"--baseline {named}: there is no such file, and no Git repository here.") from error
    for name in (named, f"refs/remotes/origin/{named}"):
        try:
            found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=root)
            return root, found
        except NoGitError:
            continue
    raise BadInputError(
        f"--baseline {named}: there is no such file and no such commit here.",
        f"In CI, a checkout has one commit. Fetch the other first: git fetch --depth 1 origin {named}:{named}",
    )


def _write(root: Path, commit: str, tree: Path, folder: Path) -> None:
    """Write a commit's files into a folder, with those of Git LFS in place of their pointers."""
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
                    f"--baseline {commit[:10]}: {path.relative_to(tree)} is in Git LFS, and that version is not here.",
                    f"Fetch it first: git lfs fetch origin {commit}",
                )
            shutil.copyfile(stored, path)


def _located(
    named: str, subject: Subject, tree: Path, root: Path, destination: Path, dockerfile: Path | None
) -> Subject:
    # It marks the root, as `locate` looks for one; no build shall see it.
    marker = tree / ".git"
    marker.mkdir()
    try:
        given = tree / subject.dockerfile.relative_to(root) if dockerfile is not None else None
        found = locate(tree / destination.relative_to(root), given)
    except (BadInputError, ValueError) as error:
        raise BadInputError(
            f"--baseline {named}: that commit has no Dockerfile of {subject.name} there.", _ANOTHER
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
    """Return what is compared of the facts of `verify`.

    Args:
        name: What the image is called.
        facts: What is known of it.
        again: Starts it once more.
        files: Returns its files.
    """
    layers = [Layer(int(layer["bytes"]), str(layer["instruction"]), "") for layer in facts["layers"]]
    ready = facts["ready_seconds"]
    ready = None if ready is None else float(ready)
    return Figures(name=name, bytes=int(facts["image_bytes"]), ready=ready, layers=layers, again=again, files=files)
