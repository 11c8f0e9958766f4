"""The forge on loopback behaves like a real forge, so the Renovate tests are valid."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .forge import API, Forge, serving


@pytest.fixture
def forge(tmp_path: Path, git: Callable[..., str]) -> Iterator[Forge]:
    """A forge with acme/shop. Its branch main has one file."""
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch", "main")
    (source / "a file").write_text("text\n")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "first")
    with serving(tmp_path / "forge") as forge:
        forge.add("acme/shop", source)
        yield forge


@pytest.fixture
def clone(forge: Forge, git: Callable[..., str], tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", f"{forge.url}/acme/shop.git", "clone")
    return tmp_path / "clone"


def _call(forge: Forge, method: str, path: str, **body: object) -> Any:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{forge.url}{API}/repos/acme/shop{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_git_clones_and_pushes_over_http(forge: Forge, clone: Path, git: Callable[..., str]) -> None:
    assert (clone / "a file").read_text() == "text\n"
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "second")
    git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/next")
    assert forge.repositories["acme/shop"].sha("next") == git(clone, "rev-parse", "HEAD")


def test_a_file_is_read_by_its_path_and_what_is_not_there_is_not_found(forge: Forge) -> None:
    assert _call(forge, "GET", "/contents/a%20file?ref=main")["content"] == "dGV4dAo="
    for missing in ("/contents/other", "/no-such-thing"):
        with pytest.raises(urllib.error.HTTPError, match="404") as raised:
            _call(forge, "GET", missing)
        raised.value.close()


def test_a_pull_request_stays_and_follows_its_branch(forge: Forge, clone: Path, git: Callable[..., str]) -> None:
    git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/next")
    opened = _call(forge, "POST", "/pulls", title="Next", head="next", base="main", body="text", labels=[2])
    assert [label["name"] for label in opened["labels"]] == ["dockertpl"]
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "second")
    git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/next")
    (listed,) = _call(forge, "GET", "/pulls?state=all")
    assert (listed["number"], listed["title"], listed["state"]) == (1, "Next", "open")
    assert listed["head"]["sha"] == git(clone, "rev-parse", "HEAD")
    assert forge.created() == ["POST /repos/acme/shop/pulls"]


def test_a_commit_s_status_is_found_by_its_branch(forge: Forge) -> None:
    sha = forge.repositories["acme/shop"].sha("main")
    _call(forge, "POST", f"/statuses/{sha}", state="failure", context="tests")
    assert [status["status"] for status in _call(forge, "GET", "/commits/main/statuses")] == ["failure"]
    assert forge.created() == ["POST /repos/acme/shop/statuses/N"]
