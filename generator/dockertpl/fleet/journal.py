"""What an apply has done, line by line: append-only, so that a kill at any moment leaves it whole.

The first line says what is applied and how; each other says what became of an item. A line counts from the moment
that its end is on the disk; of one that was torn, what is there is passed over. What a line says is never needed to be
right about a repository, as that is asked itself: it saves looking at what is done.
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
    """What a journal is of.

    Attributes:
        plan: The plan's file.
        hash: The plan's hash.
        options: How it is applied, by option.
    """

    plan: str
    hash: str
    options: Mapping[str, Any]


@dataclass
class Journal:
    """A journal that is open for writing, by this process alone; any thread may write.

    Attributes:
        head: What it is of.
        done: The last outcome of each item, by repository and answers file.
    """

    head: Head
    done: dict[tuple[str, str], ItemResult]
    _descriptor: int
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, outcome: ItemResult) -> None:
        """Note what became of an item; it is on the disk when this returns.

        Args:
            outcome: What.

        Raises:
            OSError: It cannot be written.
        """
        with self._lock:
            _append(self._descriptor, {"time": _now(), **asdict(outcome)})
            self.done[outcome.repository, outcome.answers_file] = outcome


def outcomes(path: Path) -> tuple[Head, dict[tuple[str, str], ItemResult]]:
    """Return what a journal is of and the last outcome of each item.

    Args:
        path: The journal.

    Raises:
        BadInputError: It is none.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror}.", "Name the journal of a fleet apply."
        ) from error
    # What follows the last line's end was torn.
    read = [value for line in lines[:-1] if (value := _read(line)) is not None]
    head, *rest = read or [{}]
    if head.get("schema") != _SCHEMA or not {"plan", "hash", "options"} <= head.keys():
        raise BadInputError(f"{path} is no journal of a fleet apply.", "Name the file that fleet apply wrote.")
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
    """Begin a journal, for the time of a `with` block.

    Args:
        path: Where; it must not be there yet.
        head: What it is of.

    Raises:
        BadInputError: It is there, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}.", "Name another with --journal.") from error
    try:
        _hold(descriptor, path)
        # One that is empty was begun and killed at once.
        if os.fstat(descriptor).st_size:
            resume = f"dockertpl fleet resume {shlex.quote(str(path))}"
            remedy = f"Go on with: {resume}\nOr name another with --journal."
            raise BadInputError(f"{path} is there already.", remedy)
        _append(descriptor, {"schema": _SCHEMA, "time": _now(), **asdict(head)})
        yield Journal(head=head, done={}, _descriptor=descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def gone_on(path: Path) -> Iterator[Journal]:
    """Open a journal to go on with it, for the time of a `with` block.

    Args:
        path: The journal.

    Raises:
        BadInputError: It is none, or in use.
    """
    outcomes(path)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        _hold(descriptor, path)
        # Again, now that nobody else writes.
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
        raise BadInputError(f"{path} is in use by another run.", "Wait for it, or stop it.") from error


def _append(descriptor: int, value: Mapping[str, Any]) -> None:
    # In one call: with O_APPEND no other line gets between.
    line = f"{json.dumps(value, sort_keys=True)}\n".encode()
    written = os.write(descriptor, line)
    if written != len(line):
        # Nothing of it stays, for the next line to be a part of.
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
