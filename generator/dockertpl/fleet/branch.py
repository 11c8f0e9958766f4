"""The `dockertpl/` branch of an image: one commit on the base branch. Commits by others are never overwritten.

The commit is sealed: trailers hold digests of its content. Any edit or further commit breaks the seal. From then on,
dockertpl does not touch the branch.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from dockertpl import git
from dockertpl.errors import DivergedError, NoGitError
from dockertpl.fleet.checkout import BRANCHES, View
from dockertpl.fleet.git_objects import Commit
from dockertpl.template.tree import File

#: The default author. No mail reaches the domain `invalid` (RFC 2606).
AUTHOR = "dockertpl <dockertpl@dockertpl.invalid>"

_CHANGE, _SEAL = "Dockertpl-Change", "Dockertpl-Seal"
_TRAILERS = re.compile(rf"^{_CHANGE}: ([0-9a-f]{{64}})\n{_SEAL}: ([0-9a-f]{{64}})\n\Z", re.MULTILINE)
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def name_of(image: str, answers_file: str) -> str:
    """Return the branch name for an image. The image's name is untrusted."""
    if _PLAIN.fullmatch(image) and len(image) <= 100:
        return f"{BRANCHES}{image}"
    return f"{BRANCHES}{hashlib.sha256(answers_file.encode(errors='surrogateescape')).hexdigest()[:12]}"


def change_on(base: str, digest: str) -> str:
    """Return the digest of a change on a base branch. On another base branch, the same change is another commit."""
    return hashlib.sha256(f"{base}\0{digest}".encode(errors="surrogateescape")).hexdigest()


def change_of(commit: Commit) -> str | None:
    """Return the digest of the change in a sealed commit, or None if the seal is broken."""
    found = _TRAILERS.search(commit.message)
    if found is None or len(commit.parents) != 1:
        return None
    text = commit.message[: found.start()]
    sealed = _sealed(commit.parents[0], commit.tree, commit.committer, text, found[1])
    return found[1] if sealed == found[2] else None


def make(view: View, changes: Mapping[str, File | None], *, digest: str, message: str, author: str, ref: str) -> str:
    """Write a sealed commit and return its ID. The same input gives the same commit, and no branch moves.

    Args:
        view: The repository.
        changes: The new files by path. None removes a file.
        digest: The change's digest.
        message: The commit message.
        author: `Name <mail>`.
        ref: The branch. No other thread may use this name at the same time.

    Raises:
        NoGitError: Git failed.
    """
    unique = hashlib.sha256(f"{view.git_dir} {ref}".encode()).hexdigest()
    tree = view.objects.make(view.base, changes, ref=f"refs/made/{unique}")
    text = f"{message.rstrip()}\n\n"
    seal = _sealed(view.base.id, tree, author, text, digest)
    trailers = f"{_CHANGE}: {digest}\n{_SEAL}: {seal}\n"
    return view.objects.seal(view.base, tree, author=author, message=f"{text}{trailers}")


def move(view: View, branch: str, commit: str, *, before: Commit | None) -> None:
    """Move a branch to a commit. In a remote repository, push it.

    Args:
        view: The repository.
        branch: The branch's name.
        commit: The new commit.
        before: The expected commit of the branch, or None for a new branch.

    Raises:
        DivergedError: The branch is at another commit, or checked out.
        NoGitError: Git failed.
    """
    old = before.id if before else ""
    if view.repository.is_local:
        _move_local(view.git_dir, branch, commit, old)
    else:
        _push(view, branch, commit, old)


def _sealed(parent: str, tree: str, author: str, text: str, digest: str) -> str:
    return hashlib.sha256("\0".join((parent, tree, author, text, digest)).encode()).hexdigest()


def _move_local(git_dir: Path, branch: str, commit: str, old: str) -> None:
    ref = f"refs/heads/{branch}"
    if old and git.run("for-each-ref", "--format=%(worktreepath)", ref, cwd=git_dir):
        raise DivergedError(
            f"The branch {branch} is checked out.", "Check out another branch, then run the command again."
        )
    who = ("-c", "user.name=dockertpl", "-c", "user.email=dockertpl@dockertpl.invalid")
    try:
        git.run(*who, "update-ref", "-m", "dockertpl fleet", ref, commit, old or "0" * len(commit), cwd=git_dir)
    except NoGitError as error:
        if "reference already exists" in error.message or "but expected" in error.message:
            raise _moved(branch) from error
        raise


def _push(view: View, branch: str, commit: str, old: str) -> None:
    ref = f"refs/heads/{branch}"
    try:
        git.run(
            "push",
            "--quiet",
            "--no-verify",
            "--recurse-submodules=no",
            f"--force-with-lease={ref}:{old}",
            "origin",
            f"{commit}:{ref}",
            cwd=view.git_dir,
            settings=view.settings(),
        )
    except NoGitError as error:
        if "stale info" in error.message or "fetch first" in error.message or "[rejected]" in error.message:
            raise _moved(branch) from error
        raise


def _moved(branch: str) -> DivergedError:
    return DivergedError(
        f"The branch {branch} was moved during the run.",
        "Nothing was overwritten. Check it, then run the command again.",
    )
