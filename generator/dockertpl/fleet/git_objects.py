"""Reads and makes the objects of a repository that nobody vouches for.

Git is told of a folder of objects and of an empty repository of ours, so that it reads no settings of the other
repository, runs nothing that they name, and fetches nothing that a partial clone lacks. Nothing is checked out: no
filter, hook, link or submodule is ever looked at.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from dockertpl import git
from dockertpl.errors import BadInputError
from dockertpl.merge.read_checkout import LARGEST
from dockertpl.merge.update import Obstacle
from dockertpl.template.tree import File

_FOLDER, _LINK = 0o040000, 0o120000
_NOBODY = "nobody <> 0 +0000"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit.

    Attributes:
        id: Its name.
        tree: The name of its root folder.
        parents: The names of those before it.
        committer: Who made it, as `Name <mail>`.
        time: When it was committed, in seconds since 1970.
        message: What it says.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    committer: str
    time: int
    message: str


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """What a folder has under a name.

    Attributes:
        mode: Its mode, as git keeps it.
        id: The object's name.
    """

    mode: int
    id: str


@dataclass
class Scratch:
    """Empty repositories of ours, one for each way in which git names objects.

    Attributes:
        folder: Where they are made.
    """

    folder: Path
    _made: dict[str, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def git_dir(self, object_format: str) -> Path:
        """Return the repository whose objects are named by `sha1` or `sha256`.

        Args:
            object_format: Which.

        Raises:
            NoGitError: Git is missing or does not know it.
        """
        with self._lock:
            if object_format not in self._made:
                path = self.folder / f"empty-{object_format}-{os.getpid()}.git"
                git.run("init", "--quiet", "--bare", f"--object-format={object_format}", "--", str(path))
                self._made[object_format] = path
            return self._made[object_format]


class Objects:
    """A folder of git objects; a `with` block ends the process that reads it."""

    def __init__(self, git_dir: Path, folder: Path, *, object_format: str = "sha1") -> None:
        """Tell where the objects are; nothing is read yet.

        Args:
            git_dir: An empty repository of ours.
            folder: The other repository's `objects`.
            object_format: How they are named.
        """
        self._variables = {"GIT_DIR": str(git_dir), "GIT_OBJECT_DIRECTORY": str(folder)}
        self._digest: Callable[[bytes], hashlib._Hash] = getattr(hashlib, object_format)
        self._bytes = self._digest(b"").digest_size
        self._process = git.started("cat-file", "--batch-command", variables=self._variables)
        self._trees: dict[str, Mapping[str, TreeEntry]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.stdout.close()  # type: ignore[union-attr]
        self._process.wait()

    def commit(self, name: str) -> Commit:
        """Return a commit.

        Args:
            name: Its whole name.

        Raises:
            BadInputError: There is none.
        """
        text = self._content(name, "commit").decode(errors="replace")
        head, _, message = text.partition("\n\n")
        lines = [line.partition(" ")[::2] for line in head.split("\n") if not line.startswith(" ")]
        values = dict(reversed(lines))
        try:
            committer, time, _ = values["committer"].rsplit(" ", 2)
            return Commit(
                id=name,
                tree=values["tree"],
                parents=tuple(value for key, value in lines if key == "parent"),
                committer=committer,
                time=int(time),
                message=message,
            )
        except (KeyError, ValueError) as error:
            raise BadInputError(f"The commit {name} is not as git writes them.", "See: git fsck") from error

    def folder(self, tree: str) -> Mapping[str, TreeEntry]:
        """Return what a folder has, by name.

        Args:
            tree: The folder's object.

        Raises:
            BadInputError: It is not there, or not as git writes them.
        """
        if tree not in self._trees:
            try:
                self._trees[tree] = dict(self._entries(self._content(tree, "tree")))
            except ValueError as error:
                raise BadInputError(f"The folder {tree} is not as git writes them.", "See: git fsck") from error
        return self._trees[tree]

    def read(self, root: str, paths: Iterable[str]) -> dict[str, File | Obstacle]:
        """Return what a commit has at paths; where there is nothing, a path is left out.

        Args:
            root: The object of its root folder.
            paths: Clean POSIX paths from there.

        Raises:
            BadInputError: An object is missing.
        """
        found = {path: self._look(root, path) for path in paths}
        return {path: thing for path, thing in found.items() if thing is not None}

    def make(self, base: Commit, changes: Mapping[str, File | None], *, ref: str) -> str:
        """Write the root folder that changes make of a commit's, and return its name.

        Args:
            base: The commit.
            changes: By path, the file that it is to have; None removes it.
            ref: A name of the caller's own in our repository, which no other thread uses.

        Raises:
            NoGitError: Git failed.
        """
        lines = [f"commit {ref}\ncommitter {_NOBODY}\ndata 0\nfrom {base.id}\n".encode()]
        # Removals first: a folder may take a file's place.
        for path, file in sorted(changes.items(), key=lambda change: (change[1] is not None, change[0])):
            if file is None:
                lines.append(f"D {_quoted(path)}\n".encode())
                continue
            mode = "100755" if file.executable else "100644"
            lines += [f"M {mode} inline {_quoted(path)}\ndata {len(file.content)}\n".encode(), file.content, b"\n"]
        git.run(
            "fast-import",
            "--quiet",
            "--done",
            "--force",
            variables=self._variables,
            stdin=b"".join([*lines, b"done\n"]),
        )
        return git.run("rev-parse", "--verify", f"{ref}^{{tree}}", variables=self._variables)

    def check_out(self, commit: str, folder: Path, *, index: Path) -> None:
        """Write a commit's files into a folder; no filter or hook runs, and submodules stay empty.

        Args:
            commit: The commit.
            folder: An empty folder.
            index: A file that git may write.

        Raises:
            NoGitError: Git failed, as it does where an object is missing.
        """
        variables = {**self._variables, "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(index)}
        git.run("read-tree", commit, variables=variables)
        git.run("checkout-index", "--all", "--force", variables=variables, cwd=folder)

    def seal(self, base: Commit, tree: str, *, author: str, message: str) -> str:
        """Write a commit on another, the same one for the same input, and return its name; no branch moves.

        Args:
            base: The commit before it, whose time it gets.
            tree: Its root folder.
            author: `Name <mail>`.
            message: What the commit says.

        Raises:
            NoGitError: Git failed.
        """
        # Not by `git commit-tree`, which drops from a name what it takes for none of it, such as a dot at its end, and
        # adds what a machine's settings say.
        who = f"{author} {base.time} +0000"
        content = f"tree {tree}\nparent {base.id}\nauthor {who}\ncommitter {who}\n\n{message}"
        arguments = ("hash-object", "-t", "commit", "-w", "--stdin")
        return git.run(*arguments, variables=self._variables, stdin=content.encode())

    def _look(self, root: str, path: str) -> File | Obstacle | None:
        parts = PurePosixPath(path).parts
        tree = root
        for depth, part in enumerate(parts[:-1], start=1):
            entry = self.folder(tree).get(part)
            if entry is None:
                return None
            where = PurePosixPath(*parts[:depth])
            if entry.mode == _LINK:
                return Obstacle(what=f"behind the link {where}")
            if entry.mode != _FOLDER:
                return Obstacle(what=f"below {where}, which is no folder")
            tree = entry.id
        entry = self.folder(tree).get(parts[-1])
        if entry is None:
            return None
        if not stat.S_ISREG(entry.mode):
            return Obstacle(what={_LINK: "a link", _FOLDER: "a folder"}.get(entry.mode, "a submodule"))
        size = self._size(entry.id)
        if size is None or size > LARGEST:
            return Obstacle(what="larger than a mebibyte")
        return File(content=self._content(entry.id, "blob"), executable=bool(entry.mode & stat.S_IXUSR))

    def _entries(self, content: bytes) -> Iterator[tuple[str, TreeEntry]]:
        start = 0
        while start < len(content):
            end = content.index(b"\0", start)
            mode, _, name = content[start:end].partition(b" ")
            start = end + 1 + self._bytes
            entry = TreeEntry(mode=int(mode, 8), id=content[end + 1 : start].hex())
            yield name.decode(errors="surrogateescape"), entry

    def _size(self, name: str) -> int | None:
        """Return an object's size in bytes, or None if it is not there."""
        words = self._ask("info", name)
        return int(words[2]) if len(words) == 3 else None

    def _content(self, name: str, kind: str) -> bytes:
        words = self._ask("contents", name)
        if len(words) != 3:
            raise BadInputError(f"The {kind} {name} is not there.", "Fetch the repository anew, then run this again.")
        size = int(words[2])
        content = self._process.stdout.read(size + 1)  # type: ignore[union-attr]
        if len(content) <= size:
            raise self._ended()
        if words[1] != kind:
            raise BadInputError(f"{name} is a {words[1]} and no {kind}.")
        return content[:-1]

    def _ask(self, command: str, name: str) -> list[str]:
        stdin, stdout = self._process.stdin, self._process.stdout
        try:
            stdin.write(f"{command} {name}\n".encode())  # type: ignore[union-attr]
            stdin.flush()  # type: ignore[union-attr]
            line = stdout.readline()  # type: ignore[union-attr]
        except BrokenPipeError:
            line = b""
        if not line:
            raise self._ended()
        return line.decode().split()

    def _ended(self) -> BadInputError:
        """Return what is said of a git that ended before it answered, or interrupt who asked if it was interrupted."""
        git.check_interrupt(self._process.wait())
        return BadInputError("Git cannot read the repository's objects.", "See: git fsck")


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
