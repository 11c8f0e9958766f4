"""Read an untrusted repository.

No code runs, no link leads outside, and all reads have a limit. Files that cannot be read are listed in
`Repository.skipped`, and detection continues without them.
"""

from __future__ import annotations

import ast
import os
import stat
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from dockertpl.detect.conventions import IGNORED_FOLDERS
from dockertpl.detect.jsonfile import JsonError, load_json
from dockertpl.detect.tomlfile import TomlError, load_toml
from dockertpl.errors import BadInputError

MAX_BYTES = 1 << 20
MAX_LOCK_BYTES = 16 << 20
_LOCKS = (".lock", "package-lock.json", "pnpm-lock.yaml", "pylock.toml")
MAX_TOTAL_BYTES = 256 << 20
MAX_FILES = 50_000
MAX_DEPTH = 24


def join(*parts: str) -> str:
    """Join parts of a relative path. "." and empty parts are dropped, and an empty path is "."."""
    return PurePosixPath(*parts).as_posix()


def parent(path: str) -> str:
    """Return the folder that a relative path lies in, "." at the top."""
    return PurePosixPath(path).parent.as_posix()


def clean(path: str) -> str | None:
    """Resolve `..` in a relative path. Return None if it leads outside."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return join(*parts) if parts else "."


def is_within(path: str, folder: str) -> bool:
    """Return whether a relative path is `folder` or below it."""
    return folder == "." or path == folder or path.startswith(f"{folder}/")


def relative_to(path: str, folder: str) -> str:
    """Return a path below `folder` relative to it."""
    if folder == ".":
        return path
    return (
        path[len(folder) + 1 :] if path.startswith(f"{folder}/") else PurePosixPath(path).relative_to(folder).as_posix()
    )


class Repository:
    """The files of a repository, by path relative to its root.

    Attributes:
        root: The root with links resolved.
        skipped: The reasons for files that were not or only partly read, by path.
        unreadable: Python files with a line that this Python cannot parse.
    """

    def __init__(self, root: Path, ignored: frozenset[str] = IGNORED_FOLDERS) -> None:
        """Read below `root`, without folders with a name in `ignored`."""
        self.root = root.resolve()
        self._ignored = ignored
        self.skipped: dict[str, str] = {}
        self.unreadable: list[str] = []
        self._read_bytes = 0
        self._texts: dict[str, str | None] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._tomls: dict[str, dict[str, Any] | None] = {}
        self._jsons: dict[str, dict[str, Any] | None] = {}

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All regular files, sorted, without hidden folders, links, virtual environments and build results."""
        return tuple(sorted(self._walk()))

    @cached_property
    def _regular(self) -> frozenset[str]:
        return frozenset(self.files)

    def _walk(self) -> Iterator[str]:
        count = 0
        level = ["."]
        for _ in range(MAX_DEPTH):
            below: list[str] = []
            for folder in level:
                for entry in self._entries(folder):
                    path = join(folder, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith(".") and entry.name not in self._ignored:
                            below.append(path)
                    elif entry.is_file(follow_symlinks=False):
                        count += 1
                        if count > MAX_FILES:
                            self._skip(
                                ".", f"The repository has more than {MAX_FILES} files. The deepest were not read."
                            )
                            return
                        yield path
            level = below
        if level:
            self._skip(level[0], f"{level[0]} is {MAX_DEPTH} folders deep, so it was not read.")

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as found:
                # A name with a line break or an invalid character cannot be shown, and is not a module.
                entries = sorted((entry for entry in found if entry.name.isprintable()), key=lambda entry: entry.name)
        except OSError as error:
            # A new repository has no files.
            if folder != "." or self.root.exists():
                self._skip(folder, f"{folder} was not read: {error.strerror}.")
            return []
        is_environment = folder != "." and any(entry.name == "pyvenv.cfg" for entry in entries)
        return [] if is_environment else entries

    def _skip(self, path: str, text: str) -> None:
        self.skipped.setdefault(path, text)

    def is_file(self, path: str) -> bool:
        """Return whether a regular file exists in the repository."""
        return self._file(path) is not None

    def listed(self, folder: str, *endings: str) -> list[str]:
        """Return the files of a folder with a suffix, including hidden ones, sorted and without links."""
        if not self.is_dir(folder):
            return []
        entries = [entry for entry in self._entries(folder) if entry.name.endswith(endings)]
        return [join(folder, entry.name) for entry in entries if entry.is_file(follow_symlinks=False)]

    def entries(self, folder: str) -> list[str]:
        """Return the files and folders in a folder, including hidden ones, sorted and without links."""
        if not self.is_dir(folder):
            return []
        return [join(folder, entry.name) for entry in self._entries(folder) if not entry.is_symlink()]

    def is_dir(self, path: str) -> bool:
        """Return whether a folder exists in the repository."""
        try:
            real = (self.root / path).resolve()
            return real.is_relative_to(self.root) and real.is_dir()
        except (OSError, RuntimeError, ValueError):
            return False

    def _file(self, path: str) -> Path | None:
        """Return the real path of a regular file inside the repository, or None."""
        if path in self._regular:
            return self.root / path
        try:
            (self.root / path).stat()  # most requested files are missing, and this check is cheap
            real = (self.root / path).resolve()
            if not real.is_relative_to(self.root):
                if real.exists():
                    self._skip(path, f"{path} leads out of the repository, so it was not read.")
                return None
            return real if stat.S_ISREG(real.stat().st_mode) else None
        except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop of links
            return None

    def text(self, path: str) -> str | None:
        """Return a file's text, or None if it is missing, too big, not a regular file, or outside of the repository.

        Bytes that are not UTF-8 become replacement characters.
        """
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _read(self, path: str) -> str | None:
        real = self._file(path)
        if real is None:
            return None
        if self._read_bytes > MAX_TOTAL_BYTES:
            self._skip(
                ".", f"The repository has more than {MAX_TOTAL_BYTES >> 20} MiB of text. Not all of it was read."
            )
            return None
        limit = MAX_LOCK_BYTES if path.endswith(_LOCKS) else MAX_BYTES
        try:
            # O_NONBLOCK: a pipe that replaced the file would otherwise block forever.
            with open(os.open(real, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123
                content = stream.read(limit + 1)
        except OSError as error:
            self._skip(path, f"{path} was not read: {error.strerror}.")
            return None
        if len(content) > limit:
            self._skip(path, f"{path} is bigger than {limit >> 20} MiB, so it was not read.")
            return None
        self._read_bytes += len(content)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            text = content.decode("utf-8-sig", errors="replace")
            # A module may declare another encoding.
            if not path.endswith(".py"):
                line = content.count(b"\n", 0, error.start) + 1
                self._skip(path, f"{path}:{line} is not UTF-8 text. Invalid characters were left out.")
        return text.replace("\r\n", "\n")

    def toml(self, path: str) -> dict[str, Any] | None:
        """Return a parsed TOML file, or None if it cannot be read.

        Raises:
            BadInputError: It is not valid TOML. The message names file and line.
        """
        if path not in self._tomls:
            text = self.text(path)
            try:
                self._tomls[path] = None if text is None else load_toml(text)
            except TomlError as error:
                where = f"{path}:{error.line}" if error.line else path
                raise BadInputError(
                    f"{where} is not valid TOML: {error.reason}.", "Repair the file. No files were changed."
                ) from None
        return self._tomls[path]

    def json(self, path: str) -> dict[str, Any] | None:
        """Return a parsed JSON file, or None if it cannot be read. Empty if it is not an object.

        Raises:
            BadInputError: It is not valid JSON. The message names file and line.
        """
        if path not in self._jsons:
            text = self.text(path)
            try:
                content = None if text is None else load_json(text)
            except JsonError as error:
                where = f"{path}:{error.line}" if error.line else path
                raise BadInputError(
                    f"{where} is not valid JSON: {error.reason}.", "Repair the file. No files were changed."
                ) from None
            self._jsons[path] = content if isinstance(content, dict) or content is None else {}
        return self._jsons[path]

    def tree(self, path: str) -> ast.Module | None:
        """Return a Python file's syntax tree, or None if it cannot be read or has an error in its syntax."""
        if path not in self._trees:
            self._trees[path] = self._parse(path)
        return self._trees[path]

    def _parse(self, path: str) -> ast.Module | None:
        text = self.text(path)
        if text is None:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an invalid escape in a string
                return ast.parse(text)
        except SyntaxError as error:
            self.unreadable.append(f"{path}:{error.lineno or 1}")
        except (ValueError, MemoryError, RecursionError):
            self.unreadable.append(path)
        return None
