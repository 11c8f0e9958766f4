"""The forge of the tests is as GitHub describes itself, and Prism sees to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.forge.server import GitHub, serving

Git = Callable[..., str]
PULLS = "/repos/org/app/pulls"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with serving(tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("prism")) as github:
        yield github


@pytest.fixture
def github(served: GitHub, tmp_path: Path, git: Git) -> GitHub:
    """The forge with a fresh repository, whose branch `update` is ahead."""
    import shutil

    shutil.rmtree(served.root / "org", ignore_errors=True)
    for state in (served.pulls, served.issues, served.comments, served.log, served.violations):
        state.clear()
    source = tmp_path / "app"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch", "main")
    git(source, "commit", "--quiet", "--allow-empty", "--message", "one")
    git(source, "branch", "update")
    served.add("org/app", source)
    return served


def _post(github: GitHub, path: str, **content: Any) -> requests.Response:
    return requests.post(f"{github.url}{path}", json=content, timeout=60)


def test_a_pull_request_is_opened_once(github: GitHub) -> None:
    content = {"title": "t", "head": "update", "base": "main", "body": "b"}
    assert _post(github, PULLS, **content).status_code == 201
    again = _post(github, PULLS, **content)
    assert (again.status_code, "already exists" in again.text) == (422, True)
    listed = requests.get(f"{github.url}{PULLS}", params={"head": "org:update"}, timeout=60).json()
    assert [pull["number"] for pull in listed] == [1]
    assert github.violations == []


def test_a_branch_that_is_not_there_has_no_pull_request(github: GitHub) -> None:
    assert _post(github, PULLS, title="t", head="missing", base="main").status_code == 422


def test_a_request_that_github_would_refuse_is_a_violation(github: GitHub) -> None:
    _post(github, PULLS, title=1, base="main")
    assert len(github.violations) == 1
    assert "title" in github.violations[0]


def test_an_answer_that_github_would_not_give_is_a_violation(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github, "answer", lambda *_: (201, {"number": "one"}))
    _post(github, PULLS, title="t", head="update", base="main")
    assert len(github.violations) == 1


def test_git_clones_and_pushes(github: GitHub, tmp_path: Path, git: Git) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--filter=blob:limit=1k", f"{github.url}/org/app.git", str(clone))
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "two")
    git(clone, "push", "--quiet", "origin", "HEAD:update")
    assert git(github.root / "org" / "app.git", "rev-parse", "update") == git(clone, "rev-parse", "HEAD")
