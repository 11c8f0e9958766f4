"""The journal of `fleet apply`: an append-only file, so a kill at any moment leaves it valid.

The first line has the plan and the options. Each further line has the result of an item. An incomplete last line is
ignored. The journal only saves time: the state of a repository is always read from the repository.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dockertpl.errors import BadInputError
from dockertpl.fleet.model import ItemResult

_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first line of a journal.

    Attributes:
        plan: The plan's file.
        hash: The plan's hash.
        options: The options of the apply by name.
    """

    plan: str
    hash: str
    options: Mapping[str, Any]


@dataclass
class Journal:
    """A journal that only this process writes. Any of its threads may write.

    Attributes:
        head: The first line.
        done: The last result of each item, by repository and answers file.
    """

    head: Head
    done: dict[tuple[str, str], ItemResult]
    _descriptor: int
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, outcome: ItemResult) -> None:
        """Write an item's result to the disk.

        Raises:
            OSError: The journal cannot be written.
        """
        with self._lock:
            _append(self._descriptor, {"time": _now(), **asdict(outcome)})
            self.done[outcome.repository, outcome.answers_file] = outcome


def outcomes(path: Path) -> tuple[Head, dict[tuple[str, str], ItemResult]]:
    """Return a journal's first line and the last result of each item.

    Raises:
        BadInputError: The file cannot be read, or is not a journal.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror}.", "Name a journal that fleet apply wrote."
        ) from error
    # Ignore an incomplete last line.
    read = [value for line in lines[:-1] if (value := _read(line)) is not None]
    head, *rest = read or [{}]
    if head.get("schema") != _SCHEMA or not {"plan", "hash", "options"} <= head.keys():
        raise BadInputError(f"{path} is not a journal of fleet apply.", "Name a journal that fleet apply wrote.")
    found = {}
    for value in rest:
        value.pop("time", None)
        try:
            outcome = ItemResult(**value)
        except TypeError:
            continue
        found[outcome.repository, outcome.answers_file] = outcome
    return Head(plan=head["plan"], hash=head["hash"], options=head["options"]), found


@contextmanager
def begun(path: Path, head: Head) -> Iterator[Journal]:
    """Create a journal and open it for a `with` block.

    Raises:
        BadInputError: The file already exists, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be written: {error.strerror}.", "Name another file with --journal."
        ) from error
    try:
        _hold(descriptor, path)
        # An empty journal is from a run that was killed at once.
        if os.fstat(descriptor).st_size:
            resume = f"dockertpl fleet resume {shlex.quote(str(path))}"
            remedy = f"Resume it with: {resume}\nOr name another file with --journal."
            raise BadInputError(f"{path} already exists.", remedy)
        _append(descriptor, {"schema": _SCHEMA, "time": _now(), **asdict(head)})
        yield Journal(head=head, done={}, _descriptor=descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def gone_on(path: Path) -> Iterator[Journal]:
    """Open a journal for a `with` block, to resume it.

    Raises:
        BadInputError: The file is not a journal, or another run uses it.
    """
    outcomes(path)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        _hold(descriptor, path)
        # Read it again, now that no other process writes.
        head, done = outcomes(path)
        if not path.read_bytes().endswith(b"\n"):
            os.write(descriptor, b"\n")
        yield Journal(head=head, done=done, _descriptor=descriptor)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BadInputError(f"{path} is in use by another run.", "Wait until that run ends, or stop it.") from error


def _append(descriptor: int, value: Mapping[str, Any]) -> None:
    # In one call: O_APPEND keeps the line in one piece.
    line = f"{json.dumps(value, sort_keys=True)}\n".encode()
    written = os.write(descriptor, line)
    if written != len(line):
        # Remove the partial line.
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "the journal")
    os.fsync(descriptor)


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
