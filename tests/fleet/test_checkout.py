"""A local or remote repository opens at the start branch of updates, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fleet.fakes import Bench, local, push_bare, remote

from dockertpl.errors import BadInputError
from dockertpl.fleet.checkout import opened
from dockertpl.fleet.model import Repository
from dockertpl.merge.update import Obstacle

Git = Callable[..., str]


def _branch(bench: Bench, repository: Repository) -> str:
    with opened(repository, bench.context().scratch, dict) as view:
        assert list(view.answers_files()) == [".copier-answers.yml"]
        return view.branch


def test_the_branch_is_the_one_that_is_checked_out_or_the_default_or_the_one_that_is_named(
    bench: Bench, git: Git
) -> None:
    root = bench.scaffold()
    git(root, "switch", "--quiet", "--create", "trunk")
    git(root, "branch", "other")
    bare = remote(push_bare(root, bench.forge.bare))
    for repository in (local(root), bare):
        assert _branch(bench, repository) == "trunk"
        assert _branch(bench, replace(repository, base="other")) == "other"
        with pytest.raises(BadInputError, match="no branch missing"):
            _branch(bench, replace(repository, base="missing"))


def test_a_worktree_and_a_bare_repository_are_repositories(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    git(root, "worktree", "add", "--quiet", "-b", "side", str(bench.folder / "side"))
    assert _branch(bench, local(bench.folder / "side")) == "side"
    bare = push_bare(root, bench.forge.bare)
    assert _branch(bench, local(bare)) in ("main", "master")


def test_a_large_file_is_not_fetched_and_nothing_is_left(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    (root / "large.bin").write_bytes(b"\0" * (3 << 20))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "large")
    scratch = bench.context().scratch
    with opened(remote(push_bare(root, bench.forge.bare)), scratch, dict) as view:
        assert isinstance(view.read(["large.bin"])["large.bin"], Obstacle)
        packed = sum(path.stat().st_size for path in Path(scratch.folder).rglob("*") if path.is_file())
        assert packed < 1 << 20
    assert list(scratch.folder.glob("clone-*")) == []


def test_a_checkout_has_the_files_of_the_commit(bench: Bench) -> None:
    root = bench.scaffold()
    with opened(local(root), bench.context().scratch, dict) as view:
        with view.checked_out(view.base.id, bench.context().scratch) as folder:
            assert (folder / "Dockerfile").read_bytes() == (root / "Dockerfile").read_bytes()
        assert not folder.exists()
