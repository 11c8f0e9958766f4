"""Detect GitHub or GitLab and the branch to push, from git's files and without running git."""

from __future__ import annotations

import re
from pathlib import Path

from dockertpl.detect.facts import Detection
from dockertpl.detect.repository import Repository

# The most bytes to read of a git file.
_MAX_BYTES = 1 << 16
_HEAD = re.compile(r"ref: refs/(?:remotes/origin|heads)/(?P<branch>\S+)\s*\Z")
_REMOTE = re.compile(r'\[remote "origin"\][^\[]*?^\s*url\s*=\s*(?P<url>\S+)', re.MULTILINE)
_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
# Without a remote, the branch may be a private one.
_USUAL = frozenset({"main", "master", "trunk", "develop"})


def find_forge(repository: Repository, found: Detection) -> None:
    """Answer `ci` and `branch`.

    A `.gitlab-ci.yml` or a GitLab remote means GitLab. The branch is the remote's default branch, or the checked-out
    one if it has a usual name.
    """
    git = repository.root / ".git"
    remote = _REMOTE.search(_text(git / "config"))
    if repository.is_file(".gitlab-ci.yml"):
        found.answer("ci", "gitlab", ".gitlab-ci.yml", None, "")
    elif remote and "gitlab" in _host(remote["url"]) and not repository.is_dir(".github"):
        found.answer("ci", "gitlab", ".git/config", None, "the remote is on GitLab")
    for name in ("refs/remotes/origin/HEAD", "HEAD"):
        head = _HEAD.match(_text(git / name))
        branch = head["branch"] if head else ""
        if _BRANCH.fullmatch(branch) and ".." not in branch and (name != "HEAD" or branch in _USUAL):
            found.answer("branch", branch, f".git/{name}", None, "")
            return


def _host(url: str) -> str:
    """Return the host of a remote's URL in any format of git."""
    return re.sub(r"^[a-z+]+://", "", url).rpartition("@")[2].partition("/")[0].partition(":")[0].lower()


def _text(path: Path) -> str:
    """Return the start of a git file, or nothing if it is missing or links outside."""
    try:
        if path.is_symlink() or not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""
