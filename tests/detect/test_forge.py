from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.facts import Detection
from dockertpl.detect.forge import find_forge
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def _find(root: Path) -> dict[str, object]:
    found = Detection()
    find_forge(Repository(root), found)
    return dict(found.answers)


def _git(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / ".git" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / ".git" / name).write_text(text)


def test_a_pipeline_that_is_there_means_gitlab(repo: Repo) -> None:
    assert _find(repo({".gitlab-ci.yml": ""})) == {"ci": "gitlab"}


@pytest.mark.parametrize(
    ("url", "gitlab"),
    [
        ("git@gitlab.com:acme/orders.git", True),
        ("ssh://git@gitlab.acme.example:22/acme/orders.git", True),
        ("https://user:token@gitlab.acme.example/acme/orders.git", True),
        ("https://github.com/acme/gitlab-tools.git", False),
        ("git@github.com:gitlab/orders.git", False),
    ],
)
def test_a_remote_at_gitlab_means_gitlab(url: str, gitlab: bool, repo: Repo) -> None:
    root = repo({})
    _git(root, {"config": f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n'})
    assert _find(root) == ({"ci": "gitlab"} if gitlab else {})


def test_workflows_that_are_there_outweigh_the_remote(repo: Repo) -> None:
    root = repo({".github/workflows/test.yml": ""})
    _git(root, {"config": '[remote "origin"]\n\turl = git@gitlab.com:acme/orders.git\n'})
    assert _find(root) == {}


def test_the_remote_s_default_branch_is_taken_before_the_one_checked_out(repo: Repo) -> None:
    root = repo({})
    _git(root, {"refs/remotes/origin/HEAD": "ref: refs/remotes/origin/release/1.x\n", "HEAD": "ref: refs/heads/main\n"})
    assert _find(root) == {"branch": "release/1.x"}


@pytest.mark.parametrize(("head", "branch"), [("main", "main"), ("master", "master"), ("fix-login", None)])
def test_a_branch_that_is_checked_out_counts_if_its_name_is_a_usual_one(head: str, branch: str, repo: Repo) -> None:
    root = repo({})
    _git(root, {"HEAD": f"ref: refs/heads/{head}\n"})
    assert _find(root).get("branch") == branch


@pytest.mark.parametrize(
    "head", ["ref: refs/heads/$(touch x)\n", "ref: refs/remotes/origin/a/../b\n", "1234abcd\n", ""]
)
def test_a_ref_that_is_not_a_plain_branch_is_left_alone(head: str, repo: Repo) -> None:
    root = repo({})
    _git(root, {"refs/remotes/origin/HEAD": head, "HEAD": head})
    assert _find(root) == {}


def test_no_link_of_git_s_is_followed(repo: Repo, tmp_path: Path) -> None:
    root = repo({})
    (tmp_path / "secret").write_text("ref: refs/heads/main\n")
    _git(root, {"config": ""})
    (root / ".git" / "HEAD").unlink(missing_ok=True)
    (root / ".git" / "HEAD").symlink_to(tmp_path / "secret")
    assert _find(root) == {}
