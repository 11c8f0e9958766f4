"""Compare rendered files with a repository, and find every obstacle before a byte is written."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from dockertpl.errors import DestinationError
from dockertpl.template.tree import File, Tree

Status: TypeAlias = Literal["create", "identical", "differs"]


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """A rendered file and the repository's file at its path.

    Attributes:
        path: The POSIX path from the repository's root.
        new: The rendered file.
        old: The repository's file, or None.
    """

    path: str
    new: File
    old: File | None

    @property
    def status(self) -> Status:
        """The effect of writing the file."""
        if self.old is None:
            return "create"
        return "identical" if self.old == self.new else "differs"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The effect of writing rendered files into a repository.

    Attributes:
        root: The repository's root. It may not exist yet.
        entries: One per rendered file, sorted by path.
    """

    root: Path
    entries: tuple[PlannedFile, ...]

    def having(self, status: Status) -> list[PlannedFile]:
        """Return the entries with a status."""
        return [entry for entry in self.entries if entry.status == status]


def make(root: Path, tree: Tree) -> Plan:
    """Compare rendered files with a repository.

    Args:
        root: The repository's root. Its own path may contain links, and it may not exist yet.
        tree: The rendered files.

    Raises:
        DestinationError: A path cannot be written: a link, a folder or a file blocks it, its folder is not writable, or
            a name differs only in case. All problems are in one error.
    """
    if root.exists() and not root.is_dir():
        raise DestinationError(f"{root} is a file.", "Name a folder, the repository's root.")
    problems: dict[str, None] = {}
    entries = []
    listings: dict[Path, dict[str, str]] = {}
    for path, new in tree.items():
        found = list(_in_the_way(root, path, listings))
        problems.update(dict.fromkeys(found))
        if not found:
            try:
                entries.append(PlannedFile(path=path, new=new, old=_read(root / path)))
            except OSError as error:
                problems[f"{path} cannot be read: {error.strerror}."] = None
    if problems:
        lines = [*problems]
        raise DestinationError(
            lines[0] if len(lines) == 1 else "\n  ".join(["These paths cannot be written:", *lines]),
            "Move these away, or use another folder with -d app_dir=FOLDER.",
            problems=lines,
        )
    return Plan(root=root, entries=tuple(entries))


def check_free(plan: Plan, replaced: Collection[str] = ()) -> None:
    """Refuse a plan that would replace a file.

    Args:
        replaced: The paths of files that it may replace.

    Raises:
        DestinationError: Other files exist at one or more paths. The error names all of them.
    """
    taken = [entry.path for entry in plan.having("differs") if entry.path not in replaced]
    if not taken:
        return
    listed = taken[0] if len(taken) == 1 else f"{', '.join(taken[:-1])} and {taken[-1]}"
    raise DestinationError(
        f"{listed} already {'exists and differs' if len(taken) == 1 else 'exist and differ'}.",
        "--dry-run shows the diff. To replace, add --replace: Git keeps the old version.\n"
        "Or move the old version away and copy what you need from it, for example:\n"
        + "\n".join(f"git mv {path} {path}.old" for path in taken),
        differing=taken,
    )


def _in_the_way(root: Path, path: str, listings: dict[Path, dict[str, str]]) -> Iterator[str]:
    """Yield the reasons why a path cannot be written."""
    parts = PurePosixPath(path).parts
    here = root
    for depth, part in enumerate(parts):
        if not here.exists():
            break
        shown = str(PurePosixPath(*parts[: depth + 1]))
        twin = _listing(here, listings).get(_folded(part))
        if twin is not None and twin != part:
            yield f"{shown} differs only in case from {twin}, which already exists."
            return
        parent, here = here, here / part
        try:
            mode = here.lstat().st_mode
        except FileNotFoundError:
            yield from _not_writable(parent, root)
            break
        except OSError as error:
            yield f"{shown} cannot be read: {error.strerror}."
            return
        last = depth == len(parts) - 1
        if stat.S_ISLNK(mode):
            outside = not here.resolve().is_relative_to(root.resolve())
            yield f"{shown} is a link{' that leads out of the repository' if outside else ''} (to {here.readlink()})."
            return
        if last and not stat.S_ISREG(mode):
            yield f"{shown} is a folder." if stat.S_ISDIR(mode) else f"{shown} is not a regular file."
        if not last and not stat.S_ISDIR(mode):
            yield f"{shown} is a file, and {path} needs a folder there."
            return


def _listing(directory: Path, listings: dict[Path, dict[str, str]]) -> dict[str, str]:
    if directory not in listings:
        try:
            names = [path.name for path in directory.iterdir()]
        except OSError:
            # Writing the file itself will report the problem.
            names = []
        # If two names differ only in case, the exact one wins.
        listings[directory] = {_folded(name): name for name in sorted(names)}
    return listings[directory]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _not_writable(directory: Path, root: Path) -> Iterator[str]:
    if not os.access(directory, os.W_OK | os.X_OK):
        yield f"{'The folder ' + str(root) if directory == root else directory.relative_to(root)} is not writable."


def _read(path: Path) -> File | None:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            return File(content=stream.read(), executable=bool(mode & stat.S_IXUSR))
    except FileNotFoundError:
        return None
