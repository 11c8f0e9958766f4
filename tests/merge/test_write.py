from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dockertpl import git
from dockertpl.errors import DestinationError, MachineError
from dockertpl.merge import write as module
from dockertpl.merge.write import STAGING, Change, write
from dockertpl.template.tree import File

Write = Callable[[Path, Mapping[str, str]], Path]

NEW = File(content=b"new\n")
OLD = File(content=b"old\n")
CHANGES = [
    Change(path="a", old=None, new=NEW),
    Change(path="deep/er/b", old=None, new=File(content=b"#!\n", executable=True)),
    Change(path="kept/replaced", old=OLD, new=NEW),
    Change(path="kept/removed", old=OLD, new=None),
]
# The calls of write() that a full disk, a kill or Ctrl-C can interrupt.
CALLS = ("open", "mkdir", "fsync", "replace", "link", "unlink", "fdopen", "stat", "fstat", "chmod")


@pytest.fixture
def root(tmp_path: Path, write_files: Write) -> Path:
    return write_files(tmp_path / "root", {"kept/replaced": "old\n", "kept/removed": "old\n", "kept/other": "mine"})


def _state(root: Path) -> dict[str, Any]:
    return {
        path.relative_to(root).as_posix(): (path.stat().st_mode, path.is_file() and path.read_bytes())
        for path in sorted(root.rglob("*"))
    }


def test_files_are_created_replaced_and_removed(root: Path) -> None:
    write(root, CHANGES)
    assert (root / "a").read_bytes() == b"new\n"
    assert (root / "deep/er/b").stat().st_mode & 0o777 == 0o777 & ~_umask()
    assert (root / "a").stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert (root / "kept/replaced").read_bytes() == b"new\n"
    assert not (root / "kept/removed").exists()
    assert (root / "kept/other").read_bytes() == b"mine"
    assert not (root / STAGING).exists()


@pytest.mark.parametrize(
    ("before", "executable", "after"),
    [(0o664, False, 0o664), (0o600, False, 0o600), (0o640, True, 0o750), (0o755, True, 0o755), (0o750, False, 0o640)],
)
def test_the_permissions_of_a_file_stay(root: Path, before: int, executable: bool, after: int) -> None:
    (root / "kept/replaced").chmod(before)
    old = File(content=b"old\n", executable=bool(before & 0o100))
    write(root, [Change(path="kept/replaced", old=old, new=File(content=b"new\n", executable=executable))])
    assert (root / "kept/replaced").stat().st_mode & 0o777 == after


def test_where_a_file_system_takes_no_modes_files_are_written_all_the_same(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    (root / "kept/replaced").chmod(0o600)
    monkeypatch.setattr(os, "chmod", refuse)
    write(root, CHANGES)
    assert (root / "kept/replaced").read_bytes() == b"new\n"


def test_where_modes_mean_nothing_another_one_is_no_change(root: Path) -> None:
    (root / "kept/replaced").chmod(0o777)
    change = Change(path="kept/replaced", old=OLD, new=NEW)
    with pytest.raises(DestinationError):
        write(root, [change])
    write(root, [change], has_modes=False)
    assert (root / "kept/replaced").read_bytes() == b"new\n"


def test_a_root_is_made_with_its_parents(tmp_path: Path) -> None:
    write(tmp_path / "x" / "y", CHANGES[:2])
    assert (tmp_path / "x/y/deep/er/b").exists()


@contextmanager
def _strike(monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException) -> Iterator[list[int]]:
    """Make the module's own call with that number fail."""
    count = [0]

    def patched(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if sys._getframe(1).f_code.co_filename == module.__file__:
                count[0] += 1
                if count[0] == at:
                    raise error
            return original(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, patched(getattr(os, name)))
        yield count


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O error"), KeyboardInterrupt()],
    ids=["full disk", "broken disk", "interrupt"],
)
@pytest.mark.parametrize("new_root", [False, True])
def test_wherever_it_fails_everything_is_as_it_was(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, new_root: bool
) -> None:
    target = tmp_path / "new" / "root" if new_root else root
    changes = CHANGES[:2] if new_root else CHANGES
    before = _state(tmp_path)
    struck = 0
    for at in range(1, 500):
        with _strike(monkeypatch, at, error) as count:
            try:
                write(target, changes)
            except (MachineError, KeyboardInterrupt):
                struck += 1
                assert _state(tmp_path) == before, f"call {at}"
                continue
        # Only a folder that failed to sync does no harm, and then everything is written.
        assert (target / "a").exists()
        assert (target / "deep/er/b").exists()
        assert not (target / STAGING).exists()
        break
    assert struck > 15
    assert count[0] in range(at - 1, at + 5)


def test_an_interrupt_right_after_a_rename_is_undone_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _state(root)
    real = os.replace
    for at in (1, 2, 3):
        left = [at]

        def replace(*arguments: Any, left: list[int] = left, **options: Any) -> None:
            real(*arguments, **options)
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "replace", replace)
            write(root, CHANGES)
        assert _state(root) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_current_step_and_then_reverts_everything(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = _state(root)
    handler = signal.getsignal(number)
    real = os.replace
    calls = []

    def replace(*arguments: Any, **options: Any) -> None:
        calls.append(arguments)
        signal.raise_signal(number)
        real(*arguments, **options)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        write(root, CHANGES)
    assert calls[0] == ("0.new", "a")
    assert _state(root) == before
    assert signal.getsignal(number) is handler


def test_what_belongs_to_the_changes_fails_with_all_of_them(root: Path) -> None:
    before = _state(root)

    def fail() -> None:
        assert (root / "a").exists()
        raise MachineError("the index is locked")

    with pytest.raises(MachineError, match="the index is locked"):
        write(root, CHANGES, at_last=fail)
    assert _state(root) == before


def test_an_interrupt_that_ended_what_was_waited_for_is_an_interrupt(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A terminal also interrupts git.
    (tmp_path / "git").write_text("#!/bin/sh\nkill -INT $$\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    before = _state(root)
    with pytest.raises(KeyboardInterrupt):
        write(root, CHANGES, at_last=lambda: git.mark_unmerged(root, {"a": []}))
    assert _state(root) == before


def test_a_kill_leaves_whole_files_and_the_next_run_clears_up(root: Path) -> None:
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from dockertpl.merge.write import Change, write\n"
        "from dockertpl.template.tree import File\n"
        "real = os.replace\n"
        "def replace(*a, **k):\n"
        "    real(*a, **k)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.replace = replace\n"
        f"write(Path({str(root)!r}), [Change(path=p, old=None, new=File(content=b'new\\n')) for p in 'ab'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(module.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (root / "a").read_bytes() == b"new\n"
    assert not (root / "b").exists()
    assert (root / STAGING).exists()

    write(root, [Change(path="a", old=NEW, new=NEW), Change(path="b", old=None, new=NEW)])
    assert (root / "b").read_bytes() == b"new\n"
    assert not (root / STAGING).exists()


def test_a_second_run_at_once_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace
    errors: list[int] = []

    def replace(*arguments: Any, **options: Any) -> None:
        if not errors:
            with pytest.raises(DestinationError, match="Another dockertpl is writing") as caught:
                write(root, CHANGES[:1])
            errors.append(caught.value.exit_code)
        real(*arguments, **options)

    monkeypatch.setattr(os, "replace", replace)
    write(root, CHANGES)
    assert errors == [2]
    assert (root / "a").read_bytes() == b"new\n"


def test_without_locks_a_staging_folder_keeps_the_second_run_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def flock(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    (root / STAGING).mkdir()
    before = _state(root)
    with pytest.raises(DestinationError, match="running, or one was killed"):
        write(root, CHANGES)
    assert _state(root) == before
    (root / STAGING).rmdir()
    write(root, CHANGES)


@pytest.mark.parametrize("change", [Change(path="kept/other", old=None, new=NEW), Change(path="a", old=OLD, new=NEW)])
def test_what_changed_since_the_plan_is_left_alone(root: Path, change: Change) -> None:
    before = _state(root)
    with pytest.raises(DestinationError, match="changed during this run"):
        write(root, [CHANGES[2], change])
    assert _state(root) == before


def test_no_link_is_followed_that_came_after_the_plan(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "deep").symlink_to(outside)
    (root / "a").symlink_to(outside / "a")
    for change in CHANGES[:2]:
        with pytest.raises(DestinationError, match="link"):
            write(root, [CHANGES[2], change])
    assert list(outside.iterdir()) == []
    assert (root / "kept/replaced").read_bytes() == b"old\n"
    (root / "a").unlink()
    os.mkfifo(root / "a")
    with pytest.raises(DestinationError, match="not a regular file"):
        write(root, CHANGES[:1])


def test_without_hard_links_the_old_file_is_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    (root / "kept/replaced").chmod(0o640)
    before = _state(root)
    with pytest.raises(DestinationError):
        write(root, [*CHANGES, Change(path="kept/other", old=None, new=NEW)])
    assert _state(root) == before
    write(root, CHANGES)
    assert (root / "kept/replaced").read_bytes() == b"new\n"


def test_what_cannot_be_put_back_is_named_and_its_old_content_is_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace
    calls = []

    def replace(source: Any, *arguments: Any, **options: Any) -> None:
        calls.append(source)
        if source != "2.new":
            raise OSError(errno.EIO, "I/O error")
        real(source, *arguments, **options)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(MachineError, match="kept/replaced could not be restored") as caught:
        write(
            root,
            [
                Change(path="kept/other", old=File(content=b"mine"), new=None),
                CHANGES[3],
                CHANGES[2],
                Change(path="a", old=None, new=NEW),
            ],
        )
    assert STAGING in caught.value.remedy
    assert (root / STAGING / "2.old").read_bytes() == b"old\n"


@pytest.mark.parametrize(
    ("number", "error", "code"),
    [(errno.EROFS, DestinationError, 2), (errno.EACCES, DestinationError, 2), (errno.EDQUOT, MachineError, 3)],
)
def test_a_system_error_is_reported_in_its_own_words(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception], code: int
) -> None:
    with (
        _strike(monkeypatch, 3, OSError(number, os.strerror(number))),
        pytest.raises(error, match=os.strerror(number)) as caught,
    ):
        write(root, CHANGES)
    assert getattr(caught.value, "exit_code", None) == code


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
