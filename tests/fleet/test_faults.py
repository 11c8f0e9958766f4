"""Whatever the forge does, each update ends with one branch and one pull request, or with a clear error."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests import releases
from tests.fleet.fakes import Bench, FakeForge
from tests.fleet.forges.clock import Clock
from tests.forge.server import Fault, GitHub, serving
from tests.releases import commit, scaffold

from dockertpl.fleet import pool
from dockertpl.fleet.apply import ApplyOptions, apply
from dockertpl.fleet.discover.where import at_url
from dockertpl.fleet.forges.base import Query
from dockertpl.fleet.forges.connect import Forges
from dockertpl.fleet.forges.github import connect
from dockertpl.fleet.model import ItemResult
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.scan import Context
from dockertpl.template.versions import Versions

pytestmark = pytest.mark.slow

Git = Callable[..., str]
SLUG = "org/app"
BRANCH = "dockertpl/app"
PULLS = "/repos/org/app/pulls"
MANY = 12


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with serving(tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("prism")) as github:
        yield github


@pytest.fixture
def github(served: GitHub) -> Iterator[GitHub]:
    """An empty forge. After each test, every request and answer must match GitHub's description."""
    shutil.rmtree(served.root / "org", ignore_errors=True)
    served.reset()
    yield served
    assert served.violations == []


@pytest.fixture
def there(github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_There]:
    """The forge with one repository, and the other inputs of `apply`."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    template = releases.make(tmp_path / "template")
    root = scaffold(tmp_path / "app", template)
    github.add(SLUG, root)
    environ = {"GITHUB_TOKEN": "not-secret", "GITHUB_API_URL": github.url}
    clock = Clock()
    forges = Forges(environ=environ, _connected={"github": connect(environ, timing=clock.timing())})
    with Versions() as versions:
        bench = Bench(folder=tmp_path, template=template, versions=versions, forge=FakeForge(bare=tmp_path))
        yield _There(github, bench, forges, root)


class _There:
    """The setting of a test."""

    def __init__(self, github: GitHub, bench: Bench, forges: Forges, root: Path) -> None:
        self.github, self.bench, self.forges, self.root = github, bench, forges, root
        self.bare = github.root / f"{SLUG}.git"

    def plan(self, *slugs: str, to: str = "v2.0.0") -> list[PlanItem]:
        return self.bench.plan(*(at_url(f"{self.github.url}/{slug}.git", self.forges) for slug in slugs), to=to)

    def context(self, to: str = "v2.0.0") -> Context:
        return replace(self.bench.context(to), settings=self.forges.settings)

    def apply(self, items: list[PlanItem], to: str = "v2.0.0", **options: object) -> list[ItemResult]:
        return list(apply(items, self.context(to), ApplyOptions(forge=self.forges.of, **options)))  # type: ignore[arg-type]

    def run(self, to: str = "v2.0.0", **options: object) -> ItemResult:
        (outcome,) = self.apply(self.plan(SLUG, to=to), to, **options)
        return outcome


_SLOW = {"Retry-After": "30"}
_EMPTY = {"x-ratelimit-remaining": "0", "x-ratelimit-limit": "5000", "x-ratelimit-reset": "60"}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", PULLS, 403, _SLOW, "You have exceeded a secondary rate limit. Please wait a few minutes."),
        Fault("POST", PULLS, 403, _EMPTY, "API rate limit exceeded for user ID 1."),
        Fault("POST", PULLS, 429, _SLOW, "Too many requests"),
        Fault("POST", PULLS, 502, message="Bad Gateway"),
        Fault("POST", PULLS, 502, message="Bad Gateway", after=True),
        Fault("POST", PULLS, 0),
        Fault("POST", PULLS, 0, after=True),
        Fault("GET", PULLS, 502, message="Bad Gateway"),
        Fault("GET", PULLS, 0),
        Fault("GET", PULLS, 403, _SLOW, "You have exceeded a secondary rate limit."),
    ],
    ids=lambda fault: f"{fault.method}-{fault.status or 'dropped'}{'-after' if fault.after else ''}",
)
def test_a_transient_error_leads_to_one_pull_request(fault: Fault, there: _There) -> None:
    there.github.faults.append(fault)
    assert there.run().result == "proposed"
    assert there.github.faults == []
    assert [pull["state"] for pull in there.github.pulls[SLUG]] == ["open"]
    written = list(there.github.written())
    assert there.run().result == "unchanged"
    assert there.github.written() == written


def test_an_open_pull_request_that_the_list_did_not_have_is_taken(
    there: _There, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.run()
    listed = there.github._list
    behind: list[tuple[int, list[object]]] = [(200, [])]
    monkeypatch.setattr(there.github, "_list", lambda *rest: behind.pop() if behind else listed(*rest))
    # The list lags, so the forge answers 422 to the second request.
    assert there.run(to="v3.0.0").result in ("proposed", "updated")
    assert [pull["title"].count("v3.0.0") for pull in there.github.pulls[SLUG]] == [1]


def test_a_token_that_has_expired_fails_with_advice_and_the_next_run_goes_on(there: _There, git: Git) -> None:
    there.github.faults += [Fault("GET", PULLS, 401, message="Bad credentials") for _ in range(3)]
    outcome = there.run()
    assert (outcome.result, "token" in outcome.note) == ("failed", True)
    assert BRANCH not in git(there.bare, "branch", "--list")
    there.github.faults.clear()
    assert there.run().result == "proposed"
    assert len(there.github.pulls[SLUG]) == 1


def test_a_forge_that_stays_away_fails_and_leaves_one_branch(there: _There) -> None:
    there.github.faults += [Fault("POST", PULLS, 502, message="Bad Gateway") for _ in range(50)]
    assert there.run().result == "failed"
    there.github.faults.clear()
    assert there.run().result == "proposed"
    assert len(there.github.pulls[SLUG]) == 1


def test_the_token_is_in_no_remote_and_no_outcome(there: _There) -> None:
    outcome = there.run()
    assert "not-secret" not in repr(outcome)
    assert "not-secret" not in (there.bare / "config").read_text()


def test_conflicts_are_one_issue_that_is_closed_when_they_are_gone(there: _There, git: Git) -> None:
    path = there.root / "Dockerfile"
    before = path.read_text()
    path.write_text(before.replace("line 3\n", "my line\n"))
    commit(there.root)
    git(there.root, "push", "--quiet", str(there.bare), "HEAD")
    assert [there.run().result for _ in range(2)] == ["reported", "reported"]
    assert len(there.github.issues[SLUG]) == 1
    path.write_text(before)
    commit(there.root)
    git(there.root, "push", "--quiet", str(there.bare), "HEAD")
    assert there.run().result == "proposed"
    assert [issue["state"] for issue in there.github.issues[SLUG]] == ["closed"]
    assert len(there.github.comments) == 1


def test_repositories_are_found_with_their_answers_files(there: _There) -> None:
    (found,) = there.forges.connect("github").find(Query(owner="org"))
    assert found.repository.slug == SLUG
    assert "_commit: v1.0.0" in (found.answers or {})[".copier-answers.yml"]


@pytest.mark.parametrize("turn", [0, 1, *(pytest.param(turn, marks=pytest.mark.thorough) for turn in range(2, 10))])
def test_eight_workers_at_once_never_fail(turn: int, there: _There) -> None:
    slugs = [f"org/app-{number:02}" for number in range(MANY)]
    for slug in slugs:
        there.github.add(slug, there.root)
    context, options = there.context(), ApplyOptions(forge=there.forges.of)
    done = pool.ordered(lambda item: list(apply([item], context, options)), there.plan(*slugs), 8)
    assert [(outcome.result, outcome.note) for outcomes in done for outcome in outcomes] == [("proposed", "")] * MANY
    assert [len(there.github.pulls[slug]) for slug in slugs] == [1] * MANY
