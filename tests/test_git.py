from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl import git as ours
from dockertpl.errors import BadInputError, NoGitError


@pytest.fixture
def repository(tmp_path: Path, git: Callable[..., str]) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    for tag in ("v1.0.0", "v1.10.0", "v1.9.0", "v2.0.0rc1", "nightly"):
        git(root, "commit", "--quiet", "--allow-empty", "--message", tag)
        git(root, "tag", tag)
    return root


def test_variables_that_point_at_another_repository_are_dropped_and_access_is_kept() -> None:
    environment = ours.environment(
        {
            "GIT_DIR": "/elsewhere",
            "GIT_INDEX_FILE": "x",
            "GIT_SSH_COMMAND": "ssh -i key",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "a.b",
            "LC_ALL": "de_DE.UTF-8",
            "HOME": "/home/x",
        }
    )
    assert not environment.keys() & {"GIT_DIR", "GIT_INDEX_FILE"}
    assert environment["GIT_SSH_COMMAND"] == "ssh -i key"
    assert environment["GIT_CONFIG_KEY_0"] == "a.b"
    assert (environment["LC_ALL"], environment["HOME"], environment["GIT_TERMINAL_PROMPT"]) == ("C", "/home/x", "0")


def test_git_works_on_the_given_repository_even_inside_a_hook(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert ours.describe(repository) == "nightly"


def test_no_hook_of_a_template_runs(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    hook = hooks / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(hooks))
    ours.clone(str(repository), tmp_path / "clone")
    ours.checkout(tmp_path / "clone", "v1.0.0")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ref", ["v9.9.9", "--upload-pack=touch x", "-q", "HEAD:x", "", "a\0b"])
def test_an_invalid_ref_is_bad_input_and_never_an_option(repository: Path, ref: str) -> None:
    with pytest.raises(BadInputError, match="no version") as caught:
        ours.checkout(repository, ref)
    assert "v2.0.0rc1, v1.10.0, v1.9.0" in caught.value.remedy


def test_a_url_is_no_option_and_runs_nothing(tmp_path: Path) -> None:
    for url in (f"--upload-pack=touch {tmp_path}/ran", f"ext::sh -c 'touch {tmp_path}/ran'"):
        with pytest.raises(NoGitError, match="clone"):
            ours.clone(url, tmp_path / "clone")
    assert not (tmp_path / "ran").exists()


def test_the_latest_release_is_the_highest_version_and_no_prerelease(
    repository: Path, tmp_path: Path, git: Callable[..., str]
) -> None:
    assert ours.latest_release(repository) == "v1.10.0"
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    assert ours.latest_release(empty) is None


def test_a_missing_git_is_a_fault_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoGitError, match="not installed") as caught:
        ours.run("version")
    assert caught.value.exit_code == 3
    assert os.environ["PATH"] == str(tmp_path)


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_a_git_that_is_interrupted_did_not_fail(signal: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\nkill -{signal} $$\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(KeyboardInterrupt):
        ours.run("version")
    with pytest.raises(KeyboardInterrupt):
        ours.merge_file("a", "b", "c", labels=("mine", "old", "new"), marker_size=7)


def test_a_killed_merge_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nkill -KILL $$\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(NoGitError, match="merge-file"):
        ours.merge_file("mine", "old", "new", labels=("a", "b", "c"), marker_size=7)


def test_texts_are_merged_byte_for_byte_or_refused() -> None:
    labels = ("mine", "old", "new")
    assert ours.merge_file("a\r\nb\n\n", "a\r\nb\n", "a\r\nb\n", labels=labels, marker_size=7) == (0, "a\r\nb\n\n")
    assert ours.merge_file("x\n", "a\n", "b\n", labels=labels, marker_size=9) == (
        1,
        "<<<<<<<<< mine\nx\n=========\nb\n>>>>>>>>> new\n",
    )
    with pytest.raises(NoGitError, match="merge-file failed"):
        ours.merge_file("\0\n", "a\n", "b\n", labels=labels, marker_size=7)


def test_a_commit_is_compared_by_its_bytes(repository: Path, git: Callable[..., str]) -> None:
    (repository / "unix").write_bytes(b"a\n")
    git(repository, "add", "unix")
    git(repository, "commit", "--quiet", "--message", "a file")
    contents = {"unix": b"a\n", "none": b"a\n"}
    assert ours.committed(repository, contents) == {"unix": True, "none": None}
    # Some configurations make git check files out with CRLF.
    assert ours.committed(repository, {"unix": b"a\r\n"}) == {"unix": True}
    assert ours.committed(repository, {"unix": b"b\n"}) == {"unix": False}
    assert ours.committed(repository, {}) == {}


def test_files_outside_a_sparse_checkout_are_reported(repository: Path, git: Callable[..., str]) -> None:
    for path in ("a", "[b]", "c"):
        (repository / path).write_bytes(b"")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "files")
    git(repository, "sparse-checkout", "set", "--no-cone", "/c")
    assert ours.left_out(repository, ["a", "[b]", "c", "d"]) == ["[b]", "a"]
    assert ours.left_out(repository, []) == []
    assert ours.left_out(repository.parent, ["a"]) == []


def test_modes_mean_something_unless_git_is_told_otherwise(repository: Path, git: Callable[..., str]) -> None:
    (repository / "run").write_bytes(b"")
    (repository / "run").chmod(0o755)
    (repository / "text").write_bytes(b"")
    git(repository, "add", "--all")
    assert ours.has_modes(repository)
    git(repository, "config", "core.fileMode", "false")
    assert not ours.has_modes(repository)
    assert ours.executable(repository, ["run", "text", "none"]) == {"run"}
    assert ours.has_modes(repository.parent)


def test_git_commits_no_file_that_was_marked(repository: Path, git: Callable[..., str]) -> None:
    (repository / "a").write_bytes(b"mine")
    git(repository, "add", "a")
    git(repository, "commit", "--quiet", "--message", "a file")
    ours.mark_unmerged(repository, {"a": [(1, b"base", False), (2, b"mine", False), (3, b"theirs", True)]})
    assert ours.unmerged(repository, ["b", "a"]) == ["a"]
    assert ours.unmerged(repository.parent, ["a"]) == []
    assert git(repository, "show", ":3:a") == "theirs"
    assert git(repository, "ls-files", "--stage", "a").splitlines()[2].startswith("100755")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "commit", "--quiet", "--message", "no")


def test_history_orders_commits_and_an_unknown_one_is_not_an_ancestor(
    repository: Path, git: Callable[..., str]
) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "more")
    assert ours.is_ancestor(repository, first, "HEAD")
    assert not ours.is_ancestor(repository, "HEAD", first)
    assert not ours.is_ancestor(repository, "none", "HEAD")
    assert ours.commit_of(repository, first[:10]) == first
