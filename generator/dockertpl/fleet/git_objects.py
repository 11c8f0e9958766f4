"""Read and write the objects of an untrusted repository.

Git runs in an empty repository and only shares the other repository's object folder. It reads none of the other
repository's settings, runs none of its commands, and fetches nothing. No filter, hook, link or submodule is used.
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
_NO_ONE = "none <> 0 +0000"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit.

    Attributes:
        id: Its object ID.
        tree: The object ID of its root folder.
        parents: The object IDs of its parents.
        committer: Its committer, as `Name <mail>`.
        time: The time of the commit, in seconds since 1970.
        message: The commit message.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    committer: str
    time: int
    message: str


@dataclass(frozen=True, kw_only=True)
class TreeEntry:
    """An entry of a folder.

    Attributes:
        mode: Its git file mode.
        id: Its object ID.
    """

    mode: int
    id: str


@dataclass
class Scratch:
    """A folder for temporary files, with an empty repository for each object format.

    Attributes:
        folder: The folder.
    """

    folder: Path
    _made: dict[str, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def git_dir(self, object_format: str) -> Path:
        """Return the empty repository of an object format, `sha1` or `sha256`.

        Raises:
            NoGitError: Git is missing, or does not support the format.
        """
        with self._lock:
            if object_format not in self._made:
                path = self.folder / f"empty-{object_format}-{os.getpid()}.git"
                git.run("init", "--quiet", "--bare", f"--object-format={object_format}", "--", str(path))
                self._made[object_format] = path
            return self._made[object_format]


class Objects:
    """A folder of git objects. A `with` block ends the git process that reads it."""

    def __init__(self, git_dir: Path, folder: Path, *, object_format: str = "sha1") -> None:
        """Start the git process. Nothing is read yet.

        Args:
            git_dir: An empty repository from `Scratch`.
            folder: The other repository's `objects` folder.
            object_format: The object format, `sha1` or `sha256`.
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
        """Return the commit with a full object ID.

        Raises:
            BadInputError: It is missing or invalid.
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
            raise BadInputError(f"The commit {name} is damaged.", "Check the repository: git fsck") from error

    def folder(self, tree: str) -> Mapping[str, TreeEntry]:
        """Return a folder's entries by name.

        Raises:
            BadInputError: The folder is missing or damaged.
        """
        if tree not in self._trees:
            try:
                self._trees[tree] = dict(self._entries(self._content(tree, "tree")))
            except ValueError as error:
                raise BadInputError(f"The folder {tree} is damaged.", "Check the repository: git fsck") from error
        return self._trees[tree]

    def read(self, root: str, paths: Iterable[str]) -> dict[str, File | Obstacle]:
        """Return files of a commit by path. Missing paths are left out.

        Args:
            root: The object ID of its root folder.
            paths: Clean POSIX paths relative to the root.

        Raises:
            BadInputError: An object is missing.
        """
        found = {path: self._look(root, path) for path in paths}
        return {path: thing for path, thing in found.items() if thing is not None}

    def make(self, base: Commit, changes: Mapping[str, File | None], *, ref: str) -> str:
        """Apply changes to a commit's root folder, and return the object ID of the new one.

        Args:
            base: The commit.
            changes: The new files by path. None removes a file.
            ref: The name of a temporary ref. No other thread may use it.

        Raises:
            NoGitError: Git failed.
        """
        lines = [f"commit {ref}\ncommitter {_NO_ONE}\ndata 0\nfrom {base.id}\n".encode()]
        # Remove files first: a folder may replace a file.
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
        """Write a commit's files into an empty folder. No filter or hook runs, and submodules stay empty.

        Args:
            commit: The commit.
            folder: The empty folder.
            index: A path for git's index file.

        Raises:
            NoGitError: Git failed, for example because an object is missing.
        """
        variables = {**self._variables, "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(index)}
        git.run("read-tree", commit, variables=variables)
        git.run("checkout-index", "--all", "--force", variables=variables, cwd=folder)

    def seal(self, base: Commit, tree: str, *, author: str, message: str) -> str:
        """Write a commit and return its object ID. The same input gives the same commit, and no branch moves.

        Args:
            base: The parent. The new commit gets the same time.
            tree: The object ID of its root folder.
            author: `Name <mail>`.
            message: The commit message.

        Raises:
            NoGitError: Git failed.
        """
        # Not `git commit-tree`: it drops characters of a name, such as a final dot, and reads the machine's settings.
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
                return Obstacle(what=f"below {where}, which is not a folder")
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
        """Return an object's size in bytes, or None if it is missing."""
        words = self._ask("info", name)
        return int(words[2]) if len(words) == 3 else None

    def _content(self, name: str, kind: str) -> bytes:
        words = self._ask("contents", name)
        if len(words) != 3:
            raise BadInputError(
                f"The {kind} {name} is missing.", "Fetch the repository again, then repeat the command."
            )
        size = int(words[2])
        content = self._process.stdout.read(size + 1)  # type: ignore[union-attr]
        if len(content) <= size:
            raise self._ended()
        if words[1] != kind:
            raise BadInputError(f"{name} is a {words[1]}, not a {kind}.")
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
        """Return the error for a git process that ended early. If it was interrupted, raise KeyboardInterrupt."""
        git.check_interrupt(self._process.wait())
        return BadInputError("Git cannot read the repository's objects.", "Check the repository: git fsck")


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
