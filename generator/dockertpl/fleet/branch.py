"""A branch of ours: one commit on the branch that it is for, and never over a person's.

A commit of ours is sealed: it says what it was made of. A person who changes anything in it, or commits upon it, breaks
the seal, and from then on the branch is theirs.
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

#: Who commits where nobody else is named. No mail reaches the name `invalid` (RFC 2606).
AUTHOR = "dockertpl <dockertpl@dockertpl.invalid>"

_CHANGE, _SEAL = "Dockertpl-Change", "Dockertpl-Seal"
_TRAILERS = re.compile(rf"^{_CHANGE}: ([0-9a-f]{{64}})\n{_SEAL}: ([0-9a-f]{{64}})\n\Z", re.MULTILINE)
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def name_of(image: str, answers_file: str) -> str:
    """Return the name of the branch for an image.

    Args:
        image: The image's name, which may be anything.
        answers_file: Its answers file's name.
    """
    if _PLAIN.fullmatch(image) and len(image) <= 100:
        return f"{BRANCHES}{image}"
    return f"{BRANCHES}{hashlib.sha256(answers_file.encode(errors='surrogateescape')).hexdigest()[:12]}"


def change_on(base: str, digest: str) -> str:
    """Return the digest of a change on one branch: on another the same change is another commit, with its history.

    Args:
        base: The branch that the update starts from.
        digest: The change's digest, whatever the branch.
    """
    return hashlib.sha256(f"{base}\0{digest}".encode(errors="surrogateescape")).hexdigest()


def change_of(commit: Commit) -> str | None:
    """Return the digest of the change that a commit of ours holds, or None if a person had a hand in it.

    Args:
        commit: The commit.
    """
    found = _TRAILERS.search(commit.message)
    if found is None or len(commit.parents) != 1:
        return None
    text = commit.message[: found.start()]
    sealed = _sealed(commit.parents[0], commit.tree, commit.committer, text, found[1])
    return found[1] if sealed == found[2] else None


def make(view: View, changes: Mapping[str, File | None], *, digest: str, message: str, author: str, ref: str) -> str:
    """Write the commit that holds a change, the same one for the same input, and return its name; no branch moves.

    Args:
        view: The repository.
        changes: By path, the file that it is to have; None removes it.
        digest: The change's digest.
        message: What the commit says.
        author: `Name <mail>`.
        ref: The branch; its name is the caller's own for as long as this takes.

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
    """Let a branch be at a commit: pushed to a remote repository, else in the local one.

    Args:
        view: The repository.
        branch: The branch's name.
        commit: Where to.
        before: Where it is now, as far as is known; None if it is not there. If it is elsewhere, nothing moves.

    Raises:
        DivergedError: It is elsewhere, or checked out.
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
        raise DivergedError(f"The branch {branch} is checked out.", "Check another branch out, then run this again.")
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
        f"Somebody moved the branch {branch} meanwhile.", "Look at it, then run this again: nothing was overwritten."
    )
