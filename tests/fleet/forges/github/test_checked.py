"""The GitHub client against the test forge. Prism checks every request and answer against GitHub's own description."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.fleet.forges.clock import Clock
from tests.forge.server import Fault, GitHub, serving

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge, Query
from dockertpl.fleet.forges.github import connect
from dockertpl.fleet.forges.retry import WAITS

pytestmark = pytest.mark.slow

Git = Callable[..., str]
WriteFiles = Callable[[Path, Mapping[str, str]], Path]
BRANCH = "dockertpl/app"
MARKER = "<!-- dockertpl: app -->"
PULLS = "/repos/org/app/pulls"
ISSUES = "/repos/org/app/issues"
ANSWERS = ".copier-answers.yml"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    """One forge for all of these tests, since Prism is slow to start."""
    with serving(tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("prism")) as there:
        yield there


@pytest.fixture
def there(served: GitHub, tmp_path: Path, git: Git, write_files: WriteFiles) -> Iterator[GitHub]:
    """The forge with two repositories of an organization. One has our branch."""
    served.reset()
    for name, text in (("app", "name: app\n"), ("web", "name: ü\n")):
        if (served.root / "org" / f"{name}.git").exists():
            continue
        source = write_files(tmp_path / name, {ANSWERS: text, "README.md": "x"})
        git(source, "init", "--quiet", "--initial-branch", "main")
        git(source, "add", ".")
        git(source, "commit", "--quiet", "--message", "one")
        git(source, "switch", "--quiet", "--create", BRANCH)
        git(source, "commit", "--quiet", "--allow-empty", "--message", "update")
        git(source, "switch", "--quiet", "main")
        served.add(f"org/{name}", source)
    yield served
    assert served.violations == []
    assert served.faults == []


@pytest.fixture
def forge(there: GitHub, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Forge:
    """GitHub at that forge's address."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    environ = {"GITHUB_TOKEN": "secret-token", "GITHUB_API_URL": there.url}
    return connect(environ, timing=clock.timing())


def _propose(forge: Forge, title: str = "Update") -> int:
    return forge.propose("org/app", branch=BRANCH, base="main", title=title, body="Text", draft=False).number


FAULTS = {
    "secondary limit": Fault("POST", ".*", 403, {"Retry-After": "7"}, "You have exceeded a secondary rate limit."),
    "spent hour": Fault(
        "POST", ".*", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000090"}, "API rate limit exceeded"
    ),
    "429": Fault("POST", ".*", 429, {"Retry-After": "7"}, "Slow down"),
    "502": Fault("POST", ".*", 502, {}, "Bad Gateway"),
    "502, and it took effect": Fault("POST", ".*", 502, {}, "Bad Gateway", after=True),
    "connection dropped before": Fault("POST", ".*", 0),
    "connection dropped after": Fault("POST", ".*", 0, after=True),
}
WAITED = {"secondary limit": 7, "spent hour": 91, "429": 7}


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Fault]:
    """A fault, and the time to wait for it."""
    meant = FAULTS[request.param]
    yield Fault(meant.method, meant.path, meant.status, meant.headers, meant.message, meant.after)
    assert sum(clock.waits) == pytest.approx(WAITED.get(request.param, WAITS[0]))


def test_a_fault_while_a_proposal_is_opened_ends_in_one(forge: Forge, there: GitHub, fault: Fault) -> None:
    fault.path = PULLS
    there.faults.append(fault)
    assert _propose(forge) == 1
    assert [(pull["state"], pull["title"]) for pull in there.pulls["org/app"]] == [("open", "Update")]
    assert there.written().count(f"POST {PULLS}") == (1 if fault.after else 2)


def test_a_fault_while_an_issue_is_opened_ends_in_one(forge: Forge, there: GitHub, fault: Fault) -> None:
    fault.path = ISSUES
    there.faults.append(fault)
    assert MARKER in forge.report("org/app", MARKER, title="Conflicts", body="Text").body
    assert len(there.issues["org/app"]) == 1


def test_a_fault_while_an_issue_is_closed_ends_in_one_comment(forge: Forge, there: GitHub, fault: Fault) -> None:
    number = forge.report("org/app", MARKER, title="Conflicts", body="Text").number
    fault.path = f"{ISSUES}/{number}/comments"
    there.faults.append(fault)
    forge.close("org/app", number, "Done.")
    assert [comment["body"] for comment in there.comments[f"org/app#{number}"]] == ["Done."]
    assert there.issues["org/app"][0]["state"] == "closed"


def test_a_proposal_that_a_first_look_missed_is_brought_up_to_date(forge: Forge, there: GitHub) -> None:
    number = _propose(forge, "Theirs")
    # Lists lag, so the first one lacks it. The 422 to the POST is the forge's own.
    there.pulls["org/app"][0]["state"] = "closed"
    opened = there.pulls["org/app"][0]
    answer, asked = there.answer, []

    def lagging(*request: Any) -> tuple[int, Any]:
        result = answer(*request)
        asked.append(request[0])
        if asked == ["GET"]:
            opened["state"] = "open"
        return result

    there.answer = lagging  # type: ignore[method-assign, assignment]
    try:
        assert _propose(forge, "Ours") == number
    finally:
        del there.answer
    assert asked == ["GET", "POST", "GET", "PATCH"]
    assert [pull["title"] for pull in there.pulls["org/app"]] == ["Ours"]


def test_an_expired_token_makes_nothing_and_says_which_permissions_are_wanted(forge: Forge, there: GitHub) -> None:
    there.faults.append(Fault("POST", PULLS, 401, {}, "Bad credentials"))
    with pytest.raises(ForgeError, match="does not accept the token") as caught:
        _propose(forge)
    assert "`pull-requests: write`" in caught.value.remedy
    assert "secret-token" not in caught.value.message + caught.value.remedy
    assert there.pulls.get("org/app", []) == []


def test_the_same_twice_writes_once(forge: Forge, there: GitHub) -> None:
    for _ in range(2):
        number = _propose(forge)
        forge.amend("org/app", number, base="main", title="Update", body="Text")
        forge.report("org/app", MARKER, title="Conflicts", body="Text")
    assert there.written() == [f"POST {PULLS}", f"POST {ISSUES}"]


def test_repositories_are_found_with_their_answers_in_two_queries(forge: Forge, there: GitHub) -> None:
    for query in (Query(owner="org"), Query(search="app")):
        there.log.clear()
        found = {item.repository.slug: item for item in forge.find(query)}
        assert found["org/app"].answers == {ANSWERS: "name: app\n"}
        assert found["org/app"].repository.base == "main"
        assert there.log == ["POST /graphql"] * 2
    assert found.keys() == {"org/app"}


def test_git_fetches_from_where_a_repository_was_found(forge: Forge, there: GitHub, git: Git, tmp_path: Path) -> None:
    found = {item.repository.slug: item.repository for item in forge.find(Query(owner="org"))}
    settings = [part for key, value in forge.git_settings("org/web").items() for part in ("-c", f"{key}={value}")]
    git(tmp_path, *settings, "clone", "--quiet", found["org/web"].location, "clone")
    assert (tmp_path / "clone" / ANSWERS).read_text() == "name: ü\n"
