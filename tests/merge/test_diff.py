from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dockertpl.merge import plan
from dockertpl.merge.diff import of_changes, patch, unified
from dockertpl.merge.write import Change
from dockertpl.template.tree import File, Tree

TREE: Tree = {
    "a/new": File(content=b"one\ntwo\n"),
    "a/run": File(content=b"#!/bin/sh\n", executable=True),
    "b": File(content="x\u2028y\nno end".encode()),
    "c": File(content=b"same\n"),
    "d": File(content=b"1\n2\n3\n"),
    "e": File(content=b""),
}


def test_git_applies_the_diff_and_gets_the_same_files(tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "--quiet")
    for name, content in (("b", b"no end"), ("c", b"same\n"), ("d", b"1\n\x0c2\n3")):
        (tmp_path / name).write_bytes(content)
    text = unified(plan.make(tmp_path, TREE))
    (tmp_path / "patch").write_text(text, encoding="utf-8")
    git(tmp_path, "apply", "--check", "patch")
    git(tmp_path, "apply", "patch")
    for path, file in TREE.items():
        assert (tmp_path / path).read_bytes() == file.content
        assert bool((tmp_path / path).stat().st_mode & 0o100) == file.executable


def test_what_stays_as_it_is_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"same\n")
    assert unified(plan.make(tmp_path, {"c": TREE["c"]})) == ""


def test_bytes_that_are_not_text_are_not_printed(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\xff\x00")
    assert "Binary files a/b and b/b differ\n" in unified(plan.make(tmp_path, {"b": TREE["b"]}))


def test_of_a_file_of_very_many_lines_all_goes_and_all_comes(tmp_path: Path, git: Callable[..., str]) -> None:
    old = "".join(f"{n}\n" for n in range(6000))
    (tmp_path / "a").write_text(old)
    planned = plan.make(tmp_path, {"a": File(content=b"new\n")})
    (tmp_path / "patch").write_text(unified(planned))
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "apply", "patch")
    assert (tmp_path / "a").read_text() == "new\n"


def test_a_file_that_is_removed_is_one_that_git_removes(tmp_path: Path, git: Callable[..., str]) -> None:
    (tmp_path / "a").write_text("one\ntwo")
    text = of_changes([Change(path="a", old=File(content=b"one\ntwo"), new=None)])
    (tmp_path / "patch").write_text(text)
    git(tmp_path, "apply", "patch")
    assert not (tmp_path / "a").exists()


def test_a_patch_makes_one_text_of_the_other(tmp_path: Path, git: Callable[..., str]) -> None:
    before, after = "one\r\ntwo\x0cand\n", "one\r\nthree\x0cand"
    (tmp_path / "a").write_bytes(before.encode())
    (tmp_path / "patch").write_bytes(patch("a", before, after).encode())
    git(tmp_path, "apply", "patch")
    assert (tmp_path / "a").read_bytes() == after.encode()
    assert patch("a", before, before) == ""
