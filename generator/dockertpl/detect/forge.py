"""Which forge builds the image, and which branch it pushes: from what git wrote down, without running git."""

from __future__ import annotations

import re
from pathlib import Path

from dockertpl.detect.facts import Detection
from dockertpl.detect.repository import Repository

# As much as detection reads of a file of git's.
_MAX_BYTES = 1 << 16
_HEAD = re.compile(r"ref: refs/(?:remotes/origin|heads)/(?P<branch>\S+)\s*\Z")
_REMOTE = re.compile(r'\[remote "origin"\][^\[]*?^\s*url\s*=\s*(?P<url>\S+)', re.MULTILINE)
_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
# The branch of a clone that never heard of a remote says little: it may be a person's own.
_USUAL = frozenset({"main", "master", "trunk", "develop"})


def find_forge(repository: Repository, found: Detection) -> None:
    """Answer ci, and branch.

    GitLab is what a `.gitlab-ci.yml` or a remote at GitLab says; the branch is the remote's default one, or else the
    checked-out one if it has a usual name.
    """
    git = repository.root / ".git"
    remote = _REMOTE.search(_text(git / "config"))
    if repository.is_file(".gitlab-ci.yml"):
        found.answer("ci", "gitlab", ".gitlab-ci.yml", None, "")
    elif remote and "gitlab" in _host(remote["url"]) and not repository.is_dir(".github"):
        found.answer("ci", "gitlab", ".git/config", None, "the remote is GitLab's")
    for name in ("refs/remotes/origin/HEAD", "HEAD"):
        head = _HEAD.match(_text(git / name))
        branch = head["branch"] if head else ""
        if _BRANCH.fullmatch(branch) and ".." not in branch and (name != "HEAD" or branch in _USUAL):
            found.answer("branch", branch, f".git/{name}", None, "")
            return


def _host(url: str) -> str:
    """Return the host of a remote's URL, in any of git's ways to write it."""
    return re.sub(r"^[a-z+]+://", "", url).rpartition("@")[2].partition("/")[0].partition(":")[0].lower()


def _text(path: Path) -> str:
    """Return the start of a file of git's, or nothing where it is absent or a link that leads elsewhere."""
    try:
        if path.is_symlink() or not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""
