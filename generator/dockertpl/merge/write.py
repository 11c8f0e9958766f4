"""Write many files into a repository, all of them or none.

Guaranteed: every file is first written and synced in a staging folder, so a full disk is found before anything in the
repository changes. Then each file is renamed into place. Any error, Ctrl-C or SIGTERM undoes the earlier renames and
removes created folders. A file that changed since the plan stops the run and stays. Only one run at a time can write
to a repository. No path is written through a link.

Not guaranteed: `kill -9` or a power cut between two renames leaves some files new and the others old. Each file is
whole, and the next run removes the staging folder. A change by another program between the last check of a file and
its rename is lost.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import FrameType

from dockertpl.errors import DestinationError, DockertplError, MachineError
from dockertpl.template.tree import File

#: The folder at the repository's root where files wait to be renamed into place.
STAGING = ".dockertpl-staging"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file to write.

    Attributes:
        path: The POSIX path from the repository's root.
        old: The existing file, as the plan saw it, or None.
        new: The new file, or None to remove it.
    """

    path: str
    old: File | None
    new: File | None


def write(
    root: Path, changes: Sequence[Change], *, at_last: Callable[[], None] = lambda: None, has_modes: bool = True
) -> None:
    """Make all changes, or none.

    Args:
        root: The repository's root. It is created if it does not exist.
        changes: The changes. Paths are clean, relative and unique.
        at_last: Called after all files are in place, for example to update git's index. If it fails, everything is
            undone. It must do all of its work or nothing.
        has_modes: Whether the executable bits of existing files mean something.

    Raises:
        DockertplError: `at_last` failed.
        DestinationError: A file changed since the plan, a link or a file blocks a path, a folder is not writable, or
            another run is active.
        MachineError: The disk is full or fails. Everything is as it was, or the error names what is not.
        KeyboardInterrupt: Ctrl-C or SIGTERM came in time. Everything is as it was.
    """
    run = _Run(root=root, has_modes=has_modes)
    with _interrupts(run), ExitStack() as stack:
        run.stack = stack
        try:
            _apply(run, changes)
            run.step()
            at_last()
        except BaseException as error:
            _undo(run, error)
            if isinstance(error, OSError):
                raise _explained(error, root) from error
            raise
        shutil.rmtree(root / STAGING, ignore_errors=True)


@dataclass
class _Run:
    """The progress of a run.

    Attributes:
        root: The repository's root.
        has_modes: Whether executable bits mean something there.
        undo: How to undo each step, oldest first, with the path to name on failure.
        interrupted: Whether to stop before the next step.
    """

    root: Path
    has_modes: bool
    undo: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    interrupted: bool = False
    stack: ExitStack = field(default_factory=ExitStack)

    def step(self) -> None:
        """Begin a step. This raises KeyboardInterrupt after an interrupt."""
        if self.interrupted:
            raise KeyboardInterrupt

    def open(self, path: str, directory: int | None) -> int:
        """Open a folder that is not a link. The end of the run closes it."""
        descriptor = os.open(path, _DIRECTORY, dir_fd=directory)
        self.stack.callback(_close, descriptor)
        return descriptor


def _close(descriptor: int) -> None:
    # Only folders that were read, so closing cannot lose anything.
    with suppress(OSError):
        os.close(descriptor)


def _apply(run: _Run, changes: Sequence[Change]) -> None:
    top = _open_root(run)
    _lock(run, top)
    staging = _open_staging(run, top)
    for number, change in enumerate(changes):
        run.step()
        if change.new is not None:
            _stage(staging, f"{number}.new", change.new)
    touched = {top}
    for number, change in enumerate(changes):
        run.step()
        directory = _open_parent(run, top, change.path)
        _place(run, staging, number, directory, change)
        touched.add(directory)
    for directory in touched:
        # Some file systems cannot sync a folder. The files themselves are synced.
        with suppress(OSError):
            os.fsync(directory)


def _open_root(run: _Run) -> int:
    missing = []
    for path in (run.root, *run.root.parents):
        if path.exists():
            break
        missing.append(path)
    for path in reversed(missing):
        run.step()
        _make_directory(run, str(path), str(path), None)
    # The root itself may be a link, because the user named it.
    return run.open(os.fspath(run.root.resolve()), None)


def _make_directory(run: _Run, shown: str, name: str, directory: int | None) -> None:
    def undo() -> None:
        with suppress(FileNotFoundError):
            os.rmdir(name, dir_fd=directory)

    run.undo.append((shown, undo))
    os.mkdir(name, dir_fd=directory)


def _lock(run: _Run, top: int) -> None:
    """Keep a second run out of the repository while this one's descriptor is open."""
    import fcntl

    try:
        fcntl.flock(top, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DestinationError(
            f"Another dockertpl is writing into {run.root}.", "Run this again when it is done."
        ) from None
    except OSError:
        # The file system has no locks. Then only the staging folder keeps a second run out.
        return
    # The run that created it is dead, or it would hold the lock.
    with suppress(FileNotFoundError, NotADirectoryError):
        shutil.rmtree(run.root / STAGING)


def _open_staging(run: _Run, top: int) -> int:
    try:
        os.mkdir(STAGING, 0o700, dir_fd=top)
    except FileExistsError:
        raise DestinationError(
            f"{run.root / STAGING} exists: another dockertpl is running, or one was killed.",
            "Remove it if none is running, then run this again.",
        ) from None
    run.undo.append((STAGING, lambda: shutil.rmtree(run.root / STAGING)))
    return run.open(STAGING, top)


def _stage(staging: int, name: str, file: File) -> None:
    # The umask applies, as to any new file.
    mode = 0o777 if file.executable else 0o666
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=staging)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.content)
        stream.flush()
        os.fsync(descriptor)


def _open_parent(run: _Run, top: int, path: str) -> int:
    """Open the folder of a path from the root down. Create missing folders and follow no link."""
    directory = top
    parents = PurePosixPath(path).parent.parts
    for depth, part in enumerate(parents):
        shown = "/".join(parents[: depth + 1])
        try:
            try:
                directory = run.open(part, directory)
            except FileNotFoundError:
                _make_directory(run, shown, part, directory)
                directory = run.open(part, directory)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                raise DestinationError(f"{shown} is a link or a file, and {path} needs a folder there.") from error
            raise
    return directory


def _place(run: _Run, staging: int, number: int, directory: int, change: Change) -> None:
    name = PurePosixPath(change.path).name
    there = _look(directory, name)
    if there and change.old and not run.has_modes:
        there = replace(there, executable=change.old.executable)
    if there != change.old:
        raise DestinationError(f"{change.path} changed during this run, and was not written.", "Run this again.")
    kept = f"{number}.old"
    if change.old is not None:
        _keep(staging, kept, directory, name)
        run.undo.append((change.path, lambda: os.replace(kept, name, src_dir_fd=staging, dst_dir_fd=directory)))
    if change.new is None:
        os.unlink(name, dir_fd=directory)
        return
    if change.old is not None:
        _set_mode(staging, f"{number}.new", _mode(directory, name, change.new))
    else:
        mine = os.stat(f"{number}.new", dir_fd=staging, follow_symlinks=False).st_ino

        def remove() -> None:
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=directory, follow_symlinks=False).st_ino == mine:
                    os.unlink(name, dir_fd=directory)

        run.undo.append((change.path, remove))
    os.replace(f"{number}.new", name, src_dir_fd=staging, dst_dir_fd=directory)


def _mode(directory: int, name: str, new: File) -> int:
    """Return the mode of a file that replaces another: the same, plus execution if it is executable now."""
    mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode & 0o777
    if new.executable == bool(mode & stat.S_IXUSR):
        return mode
    return mode | (mode & 0o444) >> 2 if new.executable else mode & ~0o111


def _set_mode(staging: int, name: str, mode: int) -> None:
    if os.stat(name, dir_fd=staging, follow_symlinks=False).st_mode & 0o777 == mode:
        return
    # Some file systems, such as those of Windows, have their own modes and accept no others.
    with suppress(PermissionError):
        os.chmod(name, mode, dir_fd=staging)


def _keep(staging: int, kept: str, directory: int, name: str) -> None:
    """Keep the old file under a second name, so its path is never empty."""
    try:
        os.link(name, kept, src_dir_fd=directory, dst_dir_fd=staging, follow_symlinks=False)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK}:
            raise
        old = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
        with os.fdopen(old, "rb") as source:
            _stage(staging, kept, File(content=source.read()))
            _set_mode(staging, kept, os.fstat(old).st_mode & 0o777)


def _look(directory: int, name: str) -> File | None:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DestinationError(f"{name} is a link.", "Move it away.") from error
        raise
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise DestinationError(f"{name} is not a regular file.", "Move it away.")
        return File(content=stream.read(), executable=bool(mode & stat.S_IXUSR))


def _undo(run: _Run, cause: BaseException) -> None:
    """Undo every step, newest first. The staging folder stays if an old file in it could not be restored."""
    failed: list[str] = []
    for shown, undo in reversed(run.undo):
        if failed and shown == STAGING:
            continue
        try:
            undo()
        except OSError:
            failed.append(shown)
    if failed:
        raise MachineError(
            f"{cause}: and then {', '.join(reversed(failed))} could not be restored.",
            f"The old files are in {run.root / STAGING}, named by their number in this run.",
        ) from cause


def _explained(error: OSError, root: Path) -> DockertplError:
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return MachineError(f"{root} has no room left: {reason}.", "Nothing was changed. Free some room.")
    if error.errno in _NOT_ALLOWED:
        return DestinationError(
            f"{root} cannot be written: {reason}.", "Nothing was changed. Check who owns its folders."
        )
    return MachineError(f"Writing into {root} failed: {reason}.", "Nothing was changed.")


@contextmanager
def _interrupts(run: _Run) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait for the end of a step, so they never cut a step or its undo in half."""
    if threading.current_thread() is not threading.main_thread():
        # Python delivers signals to the main thread only.
        yield
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        run.interrupted = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
