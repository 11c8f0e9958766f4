"""The forge of the tests matches GitHub's own description, and Prism checks it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.forge.graphql import About
from tests.forge.server import Fault, GitHub, serving

pytestmark = pytest.mark.slow

Git = Callable[..., str]
PULLS = "/repos/org/app/pulls"
ISSUES = "/repos/org/app/issues"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with serving(tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("prism")) as github:
        yield github


@pytest.fixture
def github(served: GitHub, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    """The forge with a new repository. Its branch `update` is ahead."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    served.reset()
    source = tmp_path / "app"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch", "main")
    (source / "file").write_text("one\n")
    git(source, "add", "file")
    git(source, "commit", "--quiet", "--message", "one")
    git(source, "switch", "--quiet", "--create", "update")
    (source / "file").write_text("two\n")
    git(source, "commit", "--quiet", "--all", "--message", "two")
    git(source, "switch", "--quiet", "main")
    served.add("org/app", source)
    return served


def _post(github: GitHub, path: str, **content: Any) -> requests.Response:
    return requests.post(f"{github.url}{path}", json=content, timeout=60)


def _get(github: GitHub, path: str, **query: Any) -> Any:
    return requests.get(f"{github.url}{path}", params=query, timeout=60).json()


def _propose(github: GitHub, head: str = "update") -> requests.Response:
    return _post(github, PULLS, title="t", head=head, base="main", body="b")


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


def test_a_request_of_a_killed_client_does_not_count(github: GitHub) -> None:
    address = urlsplit(github.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        client.sendall(f"POST {PULLS} HTTP/1.1\r\nHost: forge\r\nContent-Length: 100\r\n\r\n{{".encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert (github.violations, github.log) == ([], [])


def test_an_answer_that_github_would_not_give_is_a_violation(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github, "answer", lambda *_: (201, {"number": "one"}))
    _post(github, PULLS, title="t", head="update", base="main")
    assert len(github.violations) == 1


def test_git_clones_and_pushes(github: GitHub, tmp_path: Path, git: Git) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--filter=blob:limit=1k", f"{github.url}/org/app.git", str(clone))
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "two")
    git(clone, "push", "--quiet", "origin", "HEAD:new")
    assert git(github.root / "org" / "app.git", "rev-parse", "new") == git(clone, "rev-parse", "HEAD")


def test_nothing_to_merge_opens_no_pull_request(github: GitHub, git: Git) -> None:
    git(github.root / "org" / "app.git", "branch", "same", "main")
    refused = _propose(github, "same")
    assert (refused.status_code, "No commits between main and same" in refused.text) == (422, True)
    assert _post(github, PULLS, title="t", head="update", base="missing").status_code == 422
    assert (github.pulls.get("org/app", []), github.violations) == ([], [])


def test_a_pull_request_is_at_its_branch_and_closed_without_it(github: GitHub, git: Git, tmp_path: Path) -> None:
    bare, one = github.root / "org" / "app.git", f"{PULLS}/1"
    assert _propose(github).json()["mergeable"]
    git(tmp_path, "clone", "--quiet", f"{github.url}/org/app.git", "clone")
    clone = tmp_path / "clone"
    (clone / "file").write_text("three\n")
    git(clone, "commit", "--quiet", "--all", "--message", "three")
    git(clone, "push", "--quiet", "origin", "main")
    assert _get(github, one)["mergeable"] is False
    git(clone, "push", "--quiet", "--force", "origin", "main:update")
    assert _get(github, one)["head"]["sha"] == git(bare, "rev-parse", "update")
    git(clone, "push", "--quiet", "origin", ":update")
    assert [pull["state"] for pull in _get(github, PULLS, state="all")] == ["closed"]
    assert github.violations == []


def test_a_merged_pull_request_is_in_its_base(github: GitHub, git: Git) -> None:
    _propose(github)
    github.merge("org/app", 1)
    assert git(github.root / "org" / "app.git", "show", "main:file") == "two"
    pull = _get(github, f"{PULLS}/1")
    assert (pull["state"], pull["merged"], github.violations) == ("closed", True, [])


def test_the_list_of_issues_has_pull_requests_and_is_narrowed(github: GitHub) -> None:
    _propose(github)
    _post(github, ISSUES, title="i", labels=["fleet"])
    _post(github, ISSUES, title="j")
    listed = _get(github, ISSUES, direction="asc")
    assert [(item["number"], "pull_request" in item) for item in listed] == [(1, True), (2, False), (3, False)]
    assert [item["number"] for item in _get(github, ISSUES, labels="fleet")] == [2]
    assert _get(github, ISSUES, creator="somebody") == []
    assert _get(github, f"{ISSUES}/9")["status"] == "404"
    assert github.violations == []


def test_a_long_list_comes_in_pages_that_name_the_next(github: GitHub) -> None:
    for _ in range(3):
        _post(github, ISSUES, title="i")
    first = requests.get(f"{github.url}{ISSUES}", params={"per_page": 2}, timeout=60)
    second = requests.get(first.links["next"]["url"], timeout=60)
    assert [item["number"] for item in first.json() + second.json()] == [3, 2, 1]
    assert "next" not in second.links


@pytest.mark.parametrize("path", ["/rate_limit", "/repos/org/app", "/user"])
def test_what_is_said_of_the_forge_is_as_github_says_it(path: str, github: GitHub) -> None:
    _get(github, path)
    assert github.violations == []


def test_only_a_token_of_the_forge_is_let_in(github: GitHub, tmp_path: Path, git: Git) -> None:
    github.tokens.add("good")
    for token, status in (("good", 200), ("bad", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{github.url}{PULLS}", headers=headers, timeout=60).status_code == status
    address = github.url.replace("://", "://x:good@")
    git(tmp_path, "clone", "--quiet", f"{address}/org/app.git", "clone")
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path, "-c", "core.askPass=true", "ls-remote", address.replace("good", "bad") + "/org/app.git")


def test_an_app_gets_a_token_for_an_owner_that_has_it(github: GitHub) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    github.app_key = key.public_key().public_bytes(serialization.Encoding.PEM, public).decode()
    github.tokens.add("somebody's")
    signed = {"Authorization": f"Bearer {jwt.encode({'iss': '1', 'exp': time.time() + 60}, key, 'RS256')}"}
    for path in ("/app", "/app/installations", "/repos/org/app/installation", "/orgs/org/installation"):
        assert requests.get(f"{github.url}{path}", headers=signed, timeout=60).status_code == 200
    assert requests.get(f"{github.url}/users/org/installation", headers=signed, timeout=60).status_code == 404
    unsigned = {"Authorization": "Bearer somebody's"}
    assert requests.get(f"{github.url}/app", headers=unsigned, timeout=60).status_code == 401
    asked = f"{github.url}/app/installations/1/access_tokens"
    token = requests.post(asked, headers=signed, timeout=60).json()["token"]
    headers = {"Authorization": f"token {token}"}
    assert requests.get(f"{github.url}{PULLS}", headers=headers, timeout=60).status_code == 200
    # GitHub's description lacks the status for an owner without the App.
    assert [line for line in github.violations if "/users/org/installation" not in line] == []


def _query(github: GitHub, query: str) -> Any:
    return _post(github, "/graphql", query=query).json()


def test_repositories_are_found_by_what_is_said_of_them(github: GitHub, tmp_path: Path) -> None:
    for name in ("old", "copy"):
        github.add(f"org/{name}", tmp_path / "app")
    github.about |= {"org/app": About(topics=("api",)), "org/old": About(archived=True), "org/copy": About(fork=True)}

    def found(words: str) -> list[str]:
        text = (
            f'{{ search(query: "{words}", type: REPOSITORY, first: 9) {{ nodes {{ ... on Repository {{ name }} }} }} }}'
        )
        return [node["name"] for node in _query(github, text)["data"]["search"]["nodes"]]

    assert [found(words) for words in ("org:org", "topic:api", "archived:true", "org:org fork:true", "org:else")] == [
        ["app", "old"],
        ["app"],
        ["old"],
        ["app", "copy", "old"],
        [],
    ]
    listed = "repositories(first: 9, isArchived: false, isFork: false) { nodes { name } }"
    data = _query(github, f'{{ organization(login: "org") {{ {listed} }} user(login: "org") {{ login }} }}')["data"]
    assert data == {"organization": {"repositories": {"nodes": [{"name": "app"}]}}, "user": None}


def test_a_query_that_github_would_refuse_is_a_violation(github: GitHub) -> None:
    assert "no_such_field" in str(_query(github, "{ viewer { no_such_field } }")["errors"])
    assert len(github.violations) == 1


@pytest.mark.parametrize(("given", "said"), [("", "You must provide"), ("(first: 101)", "exceeds the limit")])
def test_a_list_has_a_hundred_nodes_at_most_and_says_how_many(given: str, said: str, github: GitHub) -> None:
    text = f'{{ repositoryOwner(login: "org") {{ repositories{given} {{ totalCount }} }} }}'
    assert said in _query(github, text)["errors"][0]["message"]


def test_a_text_is_given_and_a_binary_file_is_not(github: GitHub, git: Git, tmp_path: Path) -> None:
    (tmp_path / "app" / "binary").write_bytes(b"\0\xff")
    git(tmp_path / "app", "add", "binary")
    git(tmp_path / "app", "commit", "--quiet", "--message", "b")
    github.add("org/other", tmp_path / "app")
    each = " ".join(
        f'{n}: object(expression: "HEAD:{n}") {{ ... on Blob {{ text isBinary }} }}' for n in ("file", "binary")
    )
    found = _query(github, f'{{ repository(owner: "org", name: "other") {{ {each} }} }}')["data"]["repository"]
    assert found == {"file": {"text": "one\n", "isBinary": False}, "binary": {"text": None, "isBinary": True}}


def test_a_large_push_comes_in_chunks_and_arrives(github: GitHub, tmp_path: Path, git: Git) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", f"{github.url}/org/app.git", str(clone))
    (clone / "large").write_bytes(os.urandom(3_000_000))
    git(clone, "add", "large")
    git(clone, "commit", "--quiet", "--message", "large")
    git(clone, "push", "--quiet", "origin", "HEAD:large")
    assert git(github.root / "org" / "app.git", "rev-parse", "large") == git(clone, "rev-parse", "HEAD")


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_ends_before_or_after_what_was_asked(after: bool, github: GitHub) -> None:
    github.faults.append(Fault("POST", PULLS, 0, after=after))
    with pytest.raises(requests.ConnectionError):
        _propose(github)
    assert len(_get(github, PULLS)) == after


@pytest.mark.parametrize("after", [False, True])
def test_a_push_ends_before_or_after_it_arrived(after: bool, github: GitHub, git: Git, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", f"{github.url}/org/app.git", "clone")
    # curl retries when a connection that it reuses is gone.
    github.faults += [Fault("POST", "/org/app.git/git-receive-pack", 0, after=after)] * 2
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path / "clone", "push", "--quiet", "origin", "HEAD:new")
    assert bool(github.head("org/app", "new")) is after


@pytest.mark.parametrize(("status", "headers"), [(403, {"Retry-After": "30"}), (429, {}), (502, {}), (401, {})])
def test_a_fault_is_met_once_and_every_request_is_in_the_log(
    status: int, headers: dict[str, str], github: GitHub
) -> None:
    github.faults.append(Fault("GET", "/repos/.*", status, headers, "no"))
    first = requests.get(f"{github.url}{PULLS}", timeout=60)
    assert (first.status_code, first.json()["message"]) == (status, "no")
    assert headers.items() <= first.headers.items()
    assert _get(github, PULLS) == []
    assert github.log == [f"GET {PULLS}"] * 2
    assert github.times == sorted(github.times)
    assert len(github.times) == 2
