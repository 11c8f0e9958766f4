"""Files of a repository are read without following links."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.errors import DestinationError
from dockertpl.merge.read_checkout import LARGEST, read, read_checkout
from dockertpl.merge.update import Obstacle
from dockertpl.template.tree import File


def test_files_are_read_with_their_mode_and_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a\r\n")
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "b").chmod(0o755)
    found = read(tmp_path, ["a", "b", "c", "d/e"])
    assert found == {"a": File(content=b"a\r\n"), "b": File(content=b"", executable=True)}


def test_links_folders_and_pipes_are_obstacles(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "file").write_text("")
    (root / "link").symlink_to(tmp_path / "outside" / "secret")
    (root / "linked").symlink_to(tmp_path / "outside")
    os.mkfifo(root / "pipe")
    paths = ["link", "linked/secret", "folder", "file/below", "pipe"]
    found = {path: thing.what for path, thing in read(root, paths).items() if isinstance(thing, Obstacle)}
    assert found == {
        "link": "a link",
        "linked/secret": "behind the link linked",
        "folder": "a folder",
        "file/below": "below file, which is not a folder",
        "pipe": "a special file",
    }


def test_a_too_large_file_is_an_obstacle(tmp_path: Path) -> None:
    for name, size in (("large", LARGEST + 1), ("largest", LARGEST)):
        with (tmp_path / name).open("wb") as stream:
            stream.truncate(size)
    found = read(tmp_path, ["large", "largest"])
    assert found == {"large": Obstacle(what="larger than a mebibyte"), "largest": File(content=bytes(LARGEST))}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "a").chmod(0)
    with pytest.raises(DestinationError, match="a cannot be read"):
        read(tmp_path, ["a"])


def test_what_a_sparse_checkout_leaves_out_was_not_deleted(tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "--quiet")
    for path in ("here", "left-out", "deleted"):
        (tmp_path / path).write_text("")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "files")
    git(tmp_path, "sparse-checkout", "set", "--no-cone", "/*", "!/left-out")
    (tmp_path / "deleted").unlink()
    found = read_checkout(tmp_path, ["here", "left-out", "deleted", "new"])
    assert found == {"here": File(content=b""), "left-out": Obstacle(what="not checked out", unseen=True)}
