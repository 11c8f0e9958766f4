from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fleet.forges.clock import Clock
from tests.fleet.forges.github.fake import ME, FakeGitHub, Fault, answer, done_but, drops, says

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge, Proposal

BRANCH = "dockertpl/app"
PULLS = "/repos/org/app/pulls"
ISSUES = "/repos/org/app/issues"
MARKER = "<!-- dockertpl: app -->"


def _propose(
    forge: Forge, title: str = "Update", body: str = "Text", base: str = "main", draft: bool = False
) -> Proposal:
    return forge.propose("org/app", branch=BRANCH, base=base, title=title, body=body, draft=draft)


# --- pull requests ---------------------------------------------------------------------------------------------------


def test_a_proposal_is_opened_once_and_then_brought_up_to_date(forge: Forge, fake: FakeGitHub) -> None:
    assert forge.proposal("org/app", BRANCH) is None
    first = _propose(forge)
    assert first == Proposal(
        number=1,
        url="https://github.com/org/app/pulls/1",
        state="open",
        draft=False,
        base="main",
        title="Update",
        body="Text",
    )
    assert forge.proposal("org/app", BRANCH) == first
    second = _propose(forge, title="Newer", body="Other", base="trunk")
    assert (second.number, second.title, second.body) == (1, "Newer", "Other")
    assert fake.pulls["org/app"][0]["base"]["ref"] == second.base == "trunk"
    assert forge.amend("org/app", 1, base="main", title="Newer", body="Other").base == "main"
    assert fake.count("POST", PULLS) == 1


def test_the_same_twice_writes_once(forge: Forge, fake: FakeGitHub) -> None:
    _propose(forge)
    _propose(forge)
    forge.amend("org/app", 1, base="main", title="Update", body="Text\r\n")
    assert [seen.method for seen in fake.seen].count("POST") == 1
    assert fake.count("PATCH", ".*") == 0


def test_an_open_one_comes_before_a_newer_closed_one_and_merged_is_told_from_closed(
    forge: Forge, fake: FakeGitHub
) -> None:
    _propose(forge)
    fake.pulls["org/app"][0].update(state="closed", merged_at="2026-01-01T00:00:00Z")
    merged = forge.proposal("org/app", BRANCH)
    assert merged is not None and merged.state == "merged"
    assert _propose(forge).number == 2
    _ = fake.pulls["org/app"][1].update(state="closed")
    closed = forge.proposal("org/app", BRANCH)
    assert closed is not None and (closed.number, closed.state) == (2, "closed")
    fake.pulls["org/app"][0].update(state="open", merged_at=None)
    opened = forge.proposal("org/app", BRANCH)
    assert opened is not None and opened.number == 1


def test_a_fork_s_branch_of_that_name_is_another_s(forge: Forge, fake: FakeGitHub) -> None:
    _propose(forge)
    fake.pulls["org/app"][0]["head"]["repo"] = {"id": 2}
    assert forge.proposal("org/app", BRANCH) is None
    fake.pulls["org/app"][0]["head"]["repo"] = None
    assert forge.proposal("org/app", BRANCH) is None


def test_an_open_proposal_can_become_a_draft_but_is_never_marked_ready(forge: Forge, fake: FakeGitHub) -> None:
    assert not _propose(forge).draft
    assert _propose(forge, draft=True).draft
    assert fake.pulls["org/app"][0]["draft"] is True
    assert _propose(forge, draft=False).draft


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            {"type": "UNPROCESSABLE", "message": "Draft pull requests are not supported in this repository."},
            "no drafts",
        ),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, "contents: write"),
    ],
)
def test_one_that_cannot_become_a_draft_is_an_error_and_none_that_is_taken_for_one(
    said: dict[str, str], remedy: str, forge: Forge, fake: FakeGitHub
) -> None:
    _propose(forge)
    refused = answer(200, {"data": {"convertPullRequestToDraft": None}, "errors": [said]})
    fake.fails("POST", "/graphql", lambda seen, do: refused)
    with pytest.raises(ForgeError, match="a draft") as caught:
        _propose(forge, draft=True)
    assert remedy in caught.value.remedy
    # The first request arrived, but its answer was lost.
    fake.fails("POST", "/graphql", lambda seen, do: do() and refused)
    assert _propose(forge, draft=True).draft


def test_a_text_that_is_too_long_is_cut_and_says_so(forge: Forge, fake: FakeGitHub) -> None:
    body = "a line\n" * 20_000
    assert len(_propose(forge, body=body).body) <= 65_536
    assert "cut off" in fake.pulls["org/app"][0]["body"]
    _propose(forge, body=body)
    assert fake.count("PATCH", ".*") == 0
    issue = forge.report("org/app", MARKER, title="t" * 300, body=f"{body}{MARKER}")
    assert MARKER in issue.body and len(issue.body) <= 65_536 and len(issue.title) == 256


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        (says(403, "You have exceeded a secondary rate limit", Retry_After="7"), 7),
        (says(429, "Too many requests", Retry_After="7"), 7),
        (says(403, "You have exceeded a secondary rate limit"), 60),
        (says(403, "API rate limit exceeded", x_ratelimit_remaining="0", x_ratelimit_reset="1800000090"), 91),
        (says(502, "Bad Gateway"), 1),
        (says(503, "Unavailable", Retry_After="30"), 30),
        (says(504, "Gateway Timeout"), 1),
        (drops(after=False), 1),
        (drops(after=True), 1),
        (done_but(502), 1),
    ],
)
def test_a_fault_while_opening_ends_in_one_proposal(
    forge: Forge, fake: FakeGitHub, clock: Clock, fault: Fault, waited: float
) -> None:
    fake.fails("POST", PULLS, fault)
    assert _propose(forge).number == 1
    assert len(fake.pulls["org/app"]) == 1
    assert sum(clock.waits) == pytest.approx(waited)


@pytest.mark.parametrize("fault", [drops(after=True), done_but(502)])
def test_what_took_effect_is_not_sent_again(forge: Forge, fake: FakeGitHub, fault: Fault) -> None:
    fake.fails("POST", PULLS, fault)
    fake.fails("POST", ISSUES, fault)
    _propose(forge)
    forge.report("org/app", MARKER, title="Title", body="Text")
    assert (fake.count("POST", PULLS), fake.count("POST", ISSUES)) == (1, 1)
    assert (len(fake.pulls["org/app"]), len(fake.issues["org/app"])) == (1, 1)


def test_a_proposal_that_the_list_did_not_have_yet_is_found_after_422(forge: Forge, fake: FakeGitHub) -> None:
    _propose(forge, title="Theirs")
    # Lists of GitHub lag: the first one is empty.
    fake.fails("GET", PULLS, lambda seen, do: answer(200, []))
    assert _propose(forge, title="Ours").title == "Ours"
    assert [pull["title"] for pull in fake.pulls["org/app"]] == ["Ours"]


def test_a_branch_that_was_pushed_a_moment_ago_is_waited_for(forge: Forge, fake: FakeGitHub, clock: Clock) -> None:
    said = {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}]}
    fake.fails("POST", PULLS, *[lambda seen, do: answer(422, said)] * 2)
    assert _propose(forge).number == 1
    assert clock.waits == [1, 2]
    fake.pulls.clear()
    fake.fails("POST", PULLS, *[lambda seen, do: answer(422, said)] * 6)
    with pytest.raises(ForgeError, match="head invalid") as caught:
        _propose(forge)
    assert "deleted" in caught.value.remedy


@pytest.mark.parametrize("fault", [says(502, "Bad Gateway"), drops(after=True), drops(after=False)])
def test_reads_and_changes_are_tried_again(forge: Forge, fake: FakeGitHub, fault: Fault) -> None:
    _propose(forge)
    fake.fails("GET", PULLS, fault)
    fake.fails("PATCH", f"{PULLS}/1", fault)
    assert _propose(forge, title="Newer").title == "Newer"


def test_trouble_that_stays_ends_after_six_tries(forge: Forge, fake: FakeGitHub, clock: Clock) -> None:
    fake.fails("GET", PULLS, *[says(502, "Bad Gateway")] * 9)
    with pytest.raises(
        ForgeError, match="Cannot list the pull requests of org/app: GitHub answered with status"
    ) as caught:
        forge.proposal("org/app", BRANCH)
    assert "fleet resume --failed" in caught.value.remedy
    assert fake.count("GET", PULLS) == 6
    assert clock.waits == [1, 2, 4, 8, 16]


def test_a_pause_longer_than_an_hour_is_an_error_without_a_wait(forge: Forge, fake: FakeGitHub, clock: Clock) -> None:
    fake.fails("GET", PULLS, says(403, "Slow down", Retry_After="7200"))
    with pytest.raises(ForgeError, match="the rate limit of") as caught:
        forge.proposal("org/app", BRANCH)
    assert "120 min" in caught.value.remedy
    assert clock.waits == []


def test_a_pause_is_every_thread_s(forge: Forge, fake: FakeGitHub, clock: Clock) -> None:
    fake.fails("GET", "/repos/org/a/pulls", says(429, "Slow down", Retry_After="50"))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda name: forge.proposal(f"org/{name}", BRANCH), "abcd")) == [None] * 4
    assert clock.now >= 1_800_000_050


@pytest.mark.parametrize(
    ("status", "said", "headers", "message", "remedy"),
    [
        (401, "Bad credentials", {}, "does not accept the token", "workflows: write"),
        (403, "Resource not accessible by integration", {}, "the token lacks permission", "pull-requests: write"),
        (
            403,
            "Resource not accessible by personal access token",
            {"X_Accepted_GitHub_Permissions": "pull_requests=write"},
            "open a pull request in org/app",
            "GitHub accepts: pull_requests=write",
        ),
        (403, "Resource protected by organization SAML enforcement.", {}, "SAML", "single sign-on"),
        (403, "Repository was archived so is read-only.", {}, "archived", "unarchive"),
        (404, "Not Found", {}, "not found, or the token lacks permission", "access to the repository"),
        (422, "Validation Failed", {}, "status 422", "discover"),
        (422, "Draft pull requests are not supported in this repository.", {}, "Draft", "--on-conflict issue"),
    ],
)
def test_a_refusal_that_a_retry_cannot_fix_names_the_permission(
    forge: Forge,
    fake: FakeGitHub,
    clock: Clock,
    status: int,
    said: str,
    headers: dict[str, str],
    message: str,
    remedy: str,
) -> None:
    fake.fails("POST", PULLS, says(status, said, **headers))
    with pytest.raises(ForgeError, match=message) as caught:
        _propose(forge)
    assert remedy in caught.value.remedy
    assert "secret-token" not in f"{caught.value.message} {caught.value.remedy} {caught.value.data}"
    assert (fake.count("POST", PULLS), clock.waits) == (1, [])


def test_a_moved_repository_is_reported_and_nothing_is_created(forge: Forge, fake: FakeGitHub) -> None:
    fake.fails("POST", PULLS, says(307, "Moved Permanently", Location="https://api.github.com/repositories/1/pulls"))
    with pytest.raises(ForgeError, match="unexpected answer") as caught:
        _propose(forge)
    assert "renamed" in caught.value.remedy


# --- issues ----------------------------------------------------------------------------------------------------------


def test_an_issue_is_opened_once_changed_and_closed_once(forge: Forge, fake: FakeGitHub) -> None:
    assert forge.issue("org/app", MARKER) is None
    made = forge.report("org/app", MARKER, title="Title", body="Text")
    assert MARKER in made.body
    assert forge.issue("org/app", MARKER) == made
    assert forge.report("org/app", MARKER, title="Title", body="Text") == made
    assert fake.count("PATCH", ".*") == 0
    changed = forge.report("org/app", MARKER, title="Title", body=f"Other {MARKER}")
    assert (changed.number, changed.body) == (1, f"Other {MARKER}")
    forge.close("org/app", 1, "Done.")
    forge.close("org/app", 1, "Done.")
    assert fake.issues["org/app"][0]["state"] == "closed"
    assert [comment["body"] for comment in fake.comments["org/app#1"]] == ["Done."]
    assert forge.issue("org/app", MARKER) is None
    assert fake.count("POST", ISSUES) == 1
    # The client asks for its own login once.
    assert fake.count("POST", "/graphql") == 1


def test_closing_again_after_a_stop_in_between_comments_once(forge: Forge, fake: FakeGitHub) -> None:
    forge.report("org/app", MARKER, title="Title", body="Text")
    fake.fails("POST", f"{ISSUES}/1/comments", drops(after=True))
    fake.fails("PATCH", f"{ISSUES}/1", says(403, "no"))
    with pytest.raises(ForgeError, match="close issue 1 of org/app"):
        forge.close("org/app", 1, "Done.")
    forge.close("org/app", 1, "Done.")
    assert len(fake.comments["org/app#1"]) == 1
    assert fake.issues["org/app"][0]["state"] == "closed"


def test_another_s_issue_with_the_marker_and_a_pull_request_are_not_ours(forge: Forge, fake: FakeGitHub) -> None:
    forge.report("org/app", MARKER, title="Title", body="Text")
    fake.issues["org/app"][0]["user"] = {"login": "somebody"}
    assert forge.issue("org/app", MARKER) is None
    fake.issues["org/app"][0] |= {"user": {"login": ME}, "pull_request": {}}
    assert forge.issue("org/app", MARKER) is None


def test_an_issue_on_the_second_page_is_found(forge: Forge, fake: FakeGitHub) -> None:
    for number in range(130):
        fake.issues.setdefault("org/app", []).append(
            {"number": number, "title": "t", "body": "", "state": "open", "html_url": "", "user": {"login": ME}}
        )
    fake.issues["org/app"][120]["body"] = MARKER
    found = forge.issue("org/app", MARKER)
    assert found is not None and found.number == 120
    assert fake.count("GET", ISSUES) == 2


def test_disabled_issues_are_reported(forge: Forge, fake: FakeGitHub) -> None:
    fake.fails("POST", ISSUES, says(410, "Issues has been disabled in this repository."))
    with pytest.raises(ForgeError, match="issues are turned off"):
        forge.report("org/app", MARKER, title="Title", body="Text")


# --- git, threads ----------------------------------------------------------------------------------------------------


def test_git_gets_the_token_for_the_forge_s_host_alone(forge: Forge) -> None:
    word = base64.b64encode(b"x-access-token:secret-token").decode()
    assert forge.git_settings("org/app") == {"http.https://github.com/.extraHeader": f"Authorization: basic {word}"}


def test_threads_share_it_and_eighty_a_minute_is_kept(forge: Forge, fake: FakeGitHub, clock: Clock) -> None:
    def propose(number: int) -> int:
        return forge.propose(f"org/r{number}", branch=BRANCH, base="main", title="t", body="b", draft=False).number

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(propose, range(100))) == [1] * 100
    assert clock.now >= 1_800_000_060
