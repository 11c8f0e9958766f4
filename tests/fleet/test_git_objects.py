"""An untrusted repository is read through its objects, and nothing that it names is run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.errors import BadInputError
from dockertpl.fleet.checkout import View, opened
from dockertpl.fleet.git_objects import Scratch
from dockertpl.fleet.model import Repository
from dockertpl.merge.read_checkout import LARGEST
from dockertpl.merge.update import Obstacle
from dockertpl.template.tree import File

Git = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    root = tmp_path / "app"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "run.sh").write_text("echo hello\n")
    (root / "folder" / "run.sh").chmod(0o755)
    (root / "link").symlink_to("/etc")
    (root / "large").write_bytes(b"x" * (LARGEST + 1))
    (root / 'a "quoted" name').write_text("text\n")
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "one")
    return root


def _opened(root: Path, tmp_path: Path, look: Callable[[View], object]) -> object:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    with opened(Repository(key="app", location=str(root)), Scratch(folder=scratch), dict) as view:
        return look(view)


@pytest.mark.parametrize(
    ("path", "thing"),
    [
        ("folder/run.sh", File(content=b"echo hello\n", executable=True)),
        ("missing", None),
        ("missing/below", None),
        ("link", Obstacle(what="a link")),
        ("link/passwd", Obstacle(what="behind the link link")),
        ("folder", Obstacle(what="a folder")),
        ("folder/run.sh/below", Obstacle(what="below folder/run.sh, which is not a folder")),
        ("large", Obstacle(what="larger than a mebibyte")),
    ],
)
def test_the_content_of_a_path_is_reported_without_following_links(
    path: str, thing: object, root: Path, tmp_path: Path
) -> None:
    assert _opened(root, tmp_path, lambda view: view.read([path]).get(path)) == thing


def test_a_tree_is_made_of_changes_whatever_their_names(root: Path, tmp_path: Path, git: Git) -> None:
    changes = {'a "quoted" name': None, "folder": File(content=b"now a file\n"), "folder/run.sh": None}
    changes |= {"new/déjà vu": File(content=b"", executable=True)}
    tree = str(_opened(root, tmp_path, lambda view: view.objects.make(view.base, changes, ref="refs/made/x")))
    listed = git(root, "-c", "core.quotePath=false", "ls-tree", "-r", tree)
    assert [line.split(maxsplit=3)[0::3] for line in listed.splitlines()] == [
        ["100644", "folder"],
        ["100644", "large"],
        ["120000", "link"],
        ["100755", "new/déjà vu"],
    ]
    assert git(root, "for-each-ref").count("\n") == 0


def test_the_same_input_is_the_same_commit(root: Path, tmp_path: Path) -> None:
    def make(view: View) -> str:
        return view.objects.seal(view.base, view.base.tree, author="A B <a@b.invalid>", message="m\n")

    assert _opened(root, tmp_path, make) == _opened(root, tmp_path, make)


def test_a_sha256_repository_is_read_too(tmp_path: Path, git: Git) -> None:
    root = tmp_path / "app"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", str(root))
    (root / "f").write_text("text\n")
    git(root, "add", "f")
    git(root, "commit", "--quiet", "--message", "one")
    assert _opened(root, tmp_path, lambda view: view.read(["f"])) == {"f": File(content=b"text\n")}


def test_hooks_filters_and_monitors_are_not_run(root: Path, tmp_path: Path, git: Git) -> None:
    flag = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {flag}\ncat\n")
    program.chmod(0o755)
    for name in ("post-checkout", "reference-transaction", "pre-push", "post-index-change", "pre-commit"):
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes(program.read_bytes())
        hook.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "filter.x.smudge",
        "filter.x.clean",
        "core.pager",
        "diff.external",
    ):
        git(root, "config", key, str(program))
    # A partial clone: git would fetch its missing objects with a program that the repository chooses.
    git(root, "config", "remote.evil.promisor", "true")
    git(root, "config", "remote.evil.url", str(tmp_path))
    git(root, "config", "remote.evil.uploadpack", str(program))
    (root / ".git" / "info").mkdir(exist_ok=True)
    (root / ".git" / "info" / "attributes").write_text("* filter=x\n")
    missing = git(root, "rev-parse", "HEAD:folder/run.sh")
    (root / ".git" / "objects" / missing[:2] / missing[2:]).unlink()
    flag.unlink(missing_ok=True)

    def look(view: View) -> None:
        assert isinstance(view.read(["folder/run.sh"])["folder/run.sh"], Obstacle)
        view.objects.make(view.base, {"f": File(content=b"x")}, ref="refs/made/x")
        from dockertpl.fleet import branch

        branch.move(view, "dockertpl/app", view.base.id, before=None)

    _opened(root, tmp_path, look)
    assert not flag.exists()
    subprocess.run(["git", "status"], cwd=root, capture_output=True, check=False)
    # Check that the trap works.
    assert flag.exists()


def test_a_missing_or_invalid_commit_is_reported(root: Path, tmp_path: Path) -> None:
    for name in ("0" * 40, os.urandom(20).hex()):
        with pytest.raises(BadInputError):
            _opened(root, tmp_path, lambda view, name=name: view.objects.commit(name))  # type: ignore[misc]
    with pytest.raises(BadInputError, match="not a commit"):
        _opened(root, tmp_path, lambda view: view.objects.commit(view.base.tree))


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGSEGV, BadInputError)])
def test_a_git_that_ended_answers_nothing(
    number: signal.Signals, raised: type[BaseException], root: Path, tmp_path: Path
) -> None:
    def look(view: View) -> None:
        view.objects._process.send_signal(number)
        view.objects._process.wait()
        view.objects.commit(view.base.id)

    with pytest.raises(raised):
        _opened(root, tmp_path, look)


@pytest.mark.parametrize("content", [b"100644 no end", b"mode name\0" + b"x" * 20])
def test_a_folder_that_git_would_not_write_is_reported(content: bytes, root: Path, tmp_path: Path) -> None:
    arguments = ("hash-object", "-t", "tree", "-w", "--stdin", "--literally")
    made = subprocess.run(["git", *arguments], cwd=root, input=content, check=True, capture_output=True)
    with pytest.raises(BadInputError, match="is damaged"):
        _opened(root, tmp_path, lambda view: view.objects.folder(made.stdout.decode().strip()))


def test_a_folder_in_a_repository_is_none(root: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not a git repository"):
        _opened(root / "folder", tmp_path, lambda view: view)
