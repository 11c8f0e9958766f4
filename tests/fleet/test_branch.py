"""A seal marks our commits, and any manual change breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fleet.fakes import Bench, local

from dockertpl.errors import DivergedError
from dockertpl.fleet import branch
from dockertpl.fleet.checkout import View, opened
from dockertpl.template.tree import File

Git = Callable[..., str]
NAME = "dockertpl/app"
DIGEST = "d" * 64


@pytest.fixture
def root(bench: Bench) -> Path:
    return bench.scaffold()


@pytest.fixture
def view(bench: Bench, root: Path) -> Iterator[View]:
    with opened(local(root), bench.context().scratch, dict) as view:
        yield view


def _make(view: View, text: bytes = b"new\n", digest: str = DIGEST) -> str:
    changes = {"Dockerfile": File(content=text)}
    return branch.make(view, changes, digest=digest, message="Update", author=branch.AUTHOR, ref=NAME)


def test_our_commits_contain_the_digest_of_their_change(view: View) -> None:
    assert branch.change_of(view.objects.commit(_make(view))) == DIGEST


@pytest.mark.parametrize(
    "author", ["Acme, Inc. <bot@acme.example>", '"Bot" <bot@acme.example.>', "Bjørn <b@acme.example>"]
)
def test_our_commits_are_recognized_whoever_makes_them(author: str, view: View, git: Git) -> None:
    made = branch.make(view, {}, digest=DIGEST, message="Update", author=author, ref=NAME)
    there = view.objects.commit(made)
    assert (there.committer, branch.change_of(there)) == (author, DIGEST)
    git(view.git_dir, "fsck", "--strict")


def test_our_commits_do_not_depend_on_git_settings(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _make(view)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "i18n.commitEncoding")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "ISO-8859-1")
    assert _make(view) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("commit", "--quiet", "--amend", "--no-edit", "--reset-author"),
        ("commit", "--quiet", "--amend", "--message", "mine"),
        ("commit", "--quiet", "--allow-empty", "--message", "on top"),
        ("rebase", "--quiet", "--force-rebase", "HEAD~"),
    ],
)
def test_a_manual_change_breaks_the_seal(arguments: tuple[str, ...], root: Path, view: View, git: Git) -> None:
    branch.move(view, NAME, _make(view), before=None)
    git(root, "switch", "--quiet", NAME)
    git(root, *arguments)
    there = view.ours(NAME)
    assert there
    assert branch.change_of(there) is None


def test_a_commit_that_only_looks_like_ours_is_not(root: Path, view: View, git: Git) -> None:
    message = f"Update\n\nDockertpl-Change: {DIGEST}\nDockertpl-Seal: {'0' * 64}\n"
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    assert branch.change_of(view.objects.commit(git(root, "rev-parse", "HEAD"))) is None


def test_a_branch_that_is_elsewhere_than_was_thought_does_not_move(root: Path, view: View, git: Git) -> None:
    first, second = _make(view), _make(view, b"other\n")
    branch.move(view, NAME, first, before=None)
    with pytest.raises(DivergedError):
        branch.move(view, NAME, second, before=None)
    with pytest.raises(DivergedError):
        branch.move(view, NAME, second, before=view.objects.commit(second))
    assert git(root, "rev-parse", NAME) == first
    branch.move(view, NAME, second, before=view.objects.commit(first))
    assert git(root, "rev-parse", NAME) == second
