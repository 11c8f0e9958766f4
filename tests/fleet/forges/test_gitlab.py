"""The GitLab client against the stand-in of tests/forge/gitlab.py, with network faults."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.fleet.forges.clock import Clock
from tests.forge.gitlab import ME, TOKEN, Fault, GitLab, serving

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge, Proposal, Query
from dockertpl.fleet.forges.gitlab import connect, settings

APP = "org/app"
REQUESTS = r"/projects/org%2Fapp/merge_requests"
ISSUES = r"/projects/org%2Fapp/issues"
MARKER = "<!-- dockertpl:fleet app -->"


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with serving() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forge(gitlab: GitLab, clock: Clock) -> Forge:
    return _connected(gitlab, clock)


def _connected(gitlab: GitLab, clock: Clock, **environ: str) -> Forge:
    return connect({"GITLAB_URL": gitlab.url, "GITLAB_TOKEN": TOKEN, **environ}, timing=clock.timing())


def _propose(forge: Forge, **changed: Any) -> Proposal:
    wanted = {"branch": "dockertpl/app", "base": "main", "title": "Update app", "body": "Text", "draft": False}
    return forge.propose(APP, **{**wanted, **changed})


# --- discovery -----------------------------------------------------------------------------------------------------


def test_a_group_s_projects_are_found_with_those_of_its_subgroups_in_the_order_of_their_names(
    gitlab: GitLab, forge: Forge
) -> None:
    gitlab.add("org/web")
    gitlab.add("org/team/api", {".copier-answers.yml": b"name: api\n", ".copier-answers.job.yml": b"name: job\n"})
    gitlab.add("other/app")
    found = list(forge.find(Query(owner="org")))
    assert [each.repository.slug for each in found] == ["org/team/api", "org/web"]
    api, web = found
    assert api.answers == {".copier-answers.yml": "name: api\n", ".copier-answers.job.yml": "name: job\n"}
    assert web.answers == {}
    assert api.repository.location == f"{gitlab.url}/org/team/api.git"
    assert api.repository.key == f"{gitlab.url.removeprefix('http://')}/org/team/api"
    assert (api.repository.forge, api.repository.base) == ("gitlab", "main")


def test_a_user_s_projects_are_found_too(gitlab: GitLab, forge: Forge) -> None:
    gitlab.users.add("jo")
    gitlab.add("jo/app")
    assert [each.repository.slug for each in forge.find(Query(owner="jo"))] == ["jo/app"]


def test_archived_ones_and_forks_are_left_out_unless_they_are_asked_for(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add("org/old", archived=True)
    gitlab.add("org/fork", forked_from_project={"id": 99})
    gitlab.add("org/gone", marked_for_deletion_on="2026-12-01")
    gitlab.add(APP)
    assert [each.repository.slug for each in forge.find(Query(owner="org"))] == [APP]
    every = forge.find(Query(owner="org", archived=True, forks=True))
    assert [each.repository.slug for each in every] == [APP, "org/fork", "org/old"]


def test_a_topic_and_a_search_narrow_what_is_found(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add("org/api", topics=["images"])
    gitlab.add("org/web")
    gitlab.add("other/api")
    assert [each.repository.slug for each in forge.find(Query(owner="org", topic="images"))] == ["org/api"]
    assert [each.repository.slug for each in forge.find(Query(search="api"))] == ["org/api", "other/api"]


def test_more_projects_and_more_files_than_a_page_has_are_all_found(gitlab: GitLab, forge: Forge) -> None:
    files = {f"a{number:03}": b"" for number in range(150)}
    for number in range(101):
        gitlab.add(f"org/app{number:03}")
    gitlab.add("org/zzz", {**files, ".copier-answers.yml": b"name: z\n"})
    found = list(forge.find(Query(owner="org")))
    assert len(found) == 102
    assert found[-1].answers == {".copier-answers.yml": "name: z\n"}


def test_an_empty_project_has_no_answers(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add(APP, default_branch=None, empty_repo=True)
    (found,) = forge.find(Query(owner="org"))
    assert found.answers == {}
    assert gitlab.count("GET", ".*/tree") == 0


@pytest.mark.parametrize("content", [("120000", b"../elsewhere"), b"name: \xff\n"])
def test_answers_that_are_not_plain_text_are_left_to_git(content: Any, gitlab: GitLab, forge: Forge) -> None:
    gitlab.add(APP, {".copier-answers.yml": content})
    (found,) = forge.find(Query(owner="org"))
    assert found.answers is None


def test_a_project_without_visible_files_does_not_hide_the_others(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add("org/closed", {".copier-answers.yml": b"name: a\n"})
    gitlab.add("org/open", {".copier-answers.yml": b"name: b\n"})
    gitlab.fails(Fault(method="GET", path=".*closed/repository/tree", status=403))
    assert [each.answers for each in forge.find(Query(owner="org"))] == [None, {".copier-answers.yml": "name: b\n"}]


def test_a_group_that_is_not_there_is_an_error_that_names_it(forge: Forge) -> None:
    with pytest.raises(ForgeError, match="list the projects of nobody"):
        list(forge.find(Query(owner="nobody")))


# --- merge requests ------------------------------------------------------------------------------------------------


def test_a_merge_request_is_opened_once_however_often_it_is_asked_for(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    first = _propose(forge)
    assert _propose(forge) == first
    assert first == Proposal(
        number=1,
        url=f"{gitlab.url}/org/app/-/merge_requests/1",
        state="open",
        draft=False,
        base="main",
        title="Update app",
        body="Text",
    )
    assert len(project.requests) == 1
    assert gitlab.count("PUT", ".*") == 0


def test_a_draft_is_one_by_its_title_and_stays_one_when_it_is_amended(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    proposed = _propose(forge, draft=True)
    assert proposed.draft
    assert proposed.title == "Update app"
    assert project.requests[0]["title"] == "Draft: Update app"
    assert forge.amend(APP, 1, base="main", title="Update app to v2", body="New").draft
    assert project.requests[0]["title"] == "Draft: Update app to v2"
    assert _propose(forge, draft=False).draft


def test_an_open_one_becomes_a_draft_where_a_draft_is_wanted(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    _propose(forge)
    assert _propose(forge, draft=True).draft
    assert len(project.requests) == 1


def test_an_open_one_gets_the_title_the_text_and_the_base_that_are_wanted(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    _propose(forge)
    _propose(forge, title="Update app to v2", body="New", base="next")
    (request,) = project.requests
    assert (request["title"], request["description"], request["target_branch"]) == ("Update app to v2", "New", "next")
    assert forge.amend(APP, 1, base="main", title="Update app to v2", body="New").base == "main"


def test_the_newest_is_returned_and_open_ones_come_first(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    assert forge.proposal(APP, "dockertpl/app") is None
    for state in ("opened", "merged", "closed"):
        project.requests.append(_request(len(project.requests) + 1, state))
    for number, state in ((1, "open"), (3, "closed")):
        found = forge.proposal(APP, "dockertpl/app")
        assert found is not None
        assert (found.number, found.state) == (number, state)
        project.requests[0]["state"] = "merged"
    project.requests.pop()
    found = forge.proposal(APP, "dockertpl/app")
    assert found is not None
    assert (found.number, found.state) == (2, "merged")


def _request(number: int, state: str) -> dict[str, Any]:
    ids = {"iid": number, "id": number, "source_project_id": 1, "target_project_id": 1}
    texts = {"title": "Update app", "description": None, "web_url": ""}
    return {**ids, **texts, "state": state, "source_branch": "dockertpl/app", "target_branch": "main"}


def test_a_fork_s_merge_request_from_a_branch_of_that_name_is_not_ours(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    _propose(forge)
    project.requests[0]["source_project_id"] = 99
    assert forge.proposal(APP, "dockertpl/app") is None


def test_a_line_of_a_text_never_becomes_a_gitlab_quick_action(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    _propose(forge, body="Text\n/close\n/assign @all\n a /path\n")
    assert project.requests[0]["description"] == "Text\n\\/close\n\\/assign @all\n a /path\n"
    _propose(forge, body="Text\n/close\n/assign @all\n a /path\n")
    assert gitlab.count("PUT", ".*") == 0


# --- issues --------------------------------------------------------------------------------------------------------


def test_an_issue_is_opened_once_brought_up_to_date_and_closed(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    assert forge.issue(APP, MARKER) is None
    forge.report(APP, MARKER, title="Conflicts", body=f"Text\n{MARKER}\n")
    told = forge.report(APP, MARKER, title="Conflicts", body=f"More\n{MARKER}\n")
    assert len(project.issues) == 1
    assert told.body.startswith("More")
    assert forge.issue(APP, MARKER) == told
    forge.close(APP, told.number, "It is done.")
    forge.close(APP, told.number, "It is done.")
    assert project.issues[0]["state"] == "closed"
    assert [note["body"] for note in project.notes[1]] == ["It is done."]
    assert forge.issue(APP, MARKER) is None


def test_an_issue_that_another_wrote_with_our_marker_is_left_alone(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    forge.report(APP, MARKER, title="Conflicts", body=MARKER)
    project.issues[0]["author"] = {"id": ME + 1}
    assert forge.issue(APP, MARKER) is None


def test_a_text_that_is_too_long_is_cut_and_keeps_its_marker(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    forge.report(APP, MARKER, title="Conflicts", body="long line\n" * 200_000 + MARKER)
    text = project.issues[0]["description"]
    assert len(text) <= 1_048_576
    assert text.endswith(MARKER)


# --- faults --------------------------------------------------------------------------------------------------------


def _once(gitlab: GitLab, forge: Forge) -> None:
    """Open a merge request and an issue; there is one of each."""
    project = gitlab.projects[APP]
    assert _propose(forge).number == 1
    assert forge.report(APP, MARKER, title="Conflicts", body=MARKER).number == 1
    forge.close(APP, 1, "It is done.")
    assert (len(project.requests), len(project.issues), len(project.notes[1])) == (1, 1, 1)
    assert project.requests[0]["state"] == "opened"
    assert project.issues[0]["state"] == "closed"


@pytest.mark.parametrize("path", [REQUESTS, ISSUES, ISSUES + "/1/notes"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("status", [0, 500, 502, 503, 504])
def test_a_write_whose_answer_is_lost_is_looked_for_and_never_made_twice(
    status: int, when: Any, path: str, gitlab: GitLab, forge: Forge
) -> None:
    gitlab.add(APP)
    gitlab.fails(Fault(method="POST", path=path, status=status, when=when))
    _once(gitlab, forge)
    assert gitlab.faults == []
    assert gitlab.count("POST", path) == (1 if when == "after" else 2)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_limit_is_waited_for_as_long_as_gitlab_says(method: str, gitlab: GitLab, forge: Forge, clock: Clock) -> None:
    gitlab.add(APP)
    gitlab.fails(Fault(method=method, path=REQUESTS, status=429, headers={"Retry-After": "42"}))
    _once(gitlab, forge)
    assert clock.waits == [42]


def test_a_limit_that_says_when_it_ends_is_waited_for_until_then(gitlab: GitLab, forge: Forge, clock: Clock) -> None:
    gitlab.add(APP)
    headers = {"RateLimit-Reset": str(int(clock.now) + 30)}
    gitlab.fails(Fault(method="GET", path=REQUESTS, status=429, headers=headers))
    _once(gitlab, forge)
    assert clock.waits == [31]


def test_a_too_long_pause_is_an_error_that_says_when_to_resume(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add(APP)
    gitlab.fails(Fault(method="GET", path=REQUESTS, status=429, headers={"Retry-After": "7200"}))
    with pytest.raises(ForgeError, match="the rate limit of") as caught:
        _propose(forge)
    assert "in 120 min" in caught.value.remedy


def test_a_read_that_breaks_off_is_tried_again(gitlab: GitLab, forge: Forge, clock: Clock) -> None:
    gitlab.add(APP)
    gitlab.fails(*(Fault(method="GET", path=REQUESTS, status=status) for status in (502, 0, 503)))
    _once(gitlab, forge)
    assert clock.waits == [1, 2, 4]


def test_a_server_that_stays_broken_is_an_error_that_says_how_to_go_on(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add(APP)
    gitlab.fails(*(Fault(method="GET", path=REQUESTS, status=502) for _ in range(9)))
    with pytest.raises(ForgeError, match="answered with status") as caught:
        _propose(forge)
    assert "fleet resume --failed" in caught.value.remedy
    assert gitlab.count("GET", REQUESTS) == 6


def test_a_merge_request_that_another_run_opened_in_between_is_taken(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    _propose(forge)
    # The list lacks it so far.
    gitlab.fails(Fault(method="GET", path=REQUESTS, status=200, content=[]))
    assert _propose(forge, title="Mine").number == 1
    assert gitlab.count("POST", REQUESTS) == 2
    assert [request["title"] for request in project.requests] == ["Mine"]


def test_a_moment_s_lock_is_waited_for(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add(APP)
    _propose(forge)
    gitlab.fails(Fault(method="PUT", path=f"{REQUESTS}/1", status=409, content={"message": "Resource lock"}))
    assert forge.amend(APP, 1, base="main", title="New", body="Text").title == "New"


def test_a_branch_that_is_not_there_is_an_error_with_gitlab_s_words(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add(APP)
    with pytest.raises(ForgeError, match="source_branch does not exist"):
        _propose(forge, branch="dockertpl/other")


@pytest.mark.parametrize(("status", "words"), [(401, "does not accept the token"), (403, "the token lacks permission")])
def test_a_token_that_may_not_is_an_error_that_says_what_is_wanted(
    status: int, words: str, gitlab: GitLab, forge: Forge
) -> None:
    gitlab.add(APP)
    gitlab.fails(Fault(method="POST", path=REQUESTS, status=status))
    with pytest.raises(ForgeError, match=words) as caught:
        _propose(forge)
    assert "the scope `api`" in caught.value.remedy
    assert TOKEN not in f"{caught.value.message}{caught.value.remedy}"
    assert gitlab.count("POST", REQUESTS) == 1


def test_an_expired_token_is_not_tried_again(gitlab: GitLab, clock: Clock) -> None:
    gitlab.add(APP)
    with pytest.raises(ForgeError, match="does not accept the token"):
        list(_connected(gitlab, clock, GITLAB_TOKEN="expired").find(Query(owner="org")))
    assert len(gitlab.seen) == 1


def test_a_redirect_is_not_followed_for_it_would_take_the_token_along(gitlab: GitLab, forge: Forge) -> None:
    gitlab.add(APP)
    gitlab.fails(Fault(method="GET", path=REQUESTS, status=301, headers={"Location": f"{gitlab.url}/elsewhere"}))
    with pytest.raises(ForgeError, match="answered with a redirect"):
        _propose(forge)
    assert len(gitlab.seen) == 1


def test_an_unreachable_server_is_a_network_error(clock: Clock) -> None:
    with serving() as gone:
        url = gone.url
    forge = connect({"GITLAB_URL": url, "GITLAB_TOKEN": TOKEN}, timing=clock.timing())
    with pytest.raises(ForgeError, match="cannot be reached"):
        forge.proposal(APP, "dockertpl/app")


def test_threads_share_a_forge(gitlab: GitLab, forge: Forge) -> None:
    project = gitlab.add(APP)
    branches = [f"dockertpl/{number}" for number in range(40)]
    project.branches |= set(branches)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda branch: _propose(forge, branch=branch).number, branches))
    assert sorted(numbers) == list(range(1, 41))


# --- who we are ----------------------------------------------------------------------------------------------------


def test_git_gets_the_token_by_a_setting_for_this_gitlab_alone(gitlab: GitLab, forge: Forge) -> None:
    ((key, value),) = forge.git_settings(APP).items()
    assert key == f"http.{gitlab.url}/.extraHeader"
    assert base64.b64decode(value.rpartition(" ")[2]).decode() == f"oauth2:{TOKEN}"


def test_a_job_s_own_token_reads_and_an_error_says_that_it_writes_nothing(gitlab: GitLab, clock: Clock) -> None:
    gitlab.add(APP)
    forge = connect({"CI_SERVER_URL": gitlab.url, "CI_JOB_TOKEN": TOKEN}, timing=clock.timing())
    assert [each.repository.slug for each in forge.find(Query(owner="org"))] == [APP]
    assert set(gitlab.authorization) == {f"job {TOKEN}"}
    ((_, value),) = forge.git_settings(APP).items()
    assert base64.b64decode(value.rpartition(" ")[2]).decode() == f"gitlab-ci-token:{TOKEN}"
    gitlab.fails(Fault(method="POST", path=REQUESTS, status=403))
    with pytest.raises(ForgeError) as caught:
        _propose(forge)
    assert "Set GITLAB_TOKEN" in caught.value.remedy


def test_a_job_s_token_is_sent_to_no_other_gitlab() -> None:
    environ = {"CI_SERVER_URL": "https://ci.example", "CI_JOB_TOKEN": "x", "GITLAB_URL": "https://other.example"}
    with pytest.raises(ForgeError, match="No GitLab token is set"):
        connect(environ)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://gitlab.com"),
        ({"CI_SERVER_URL": "https://ci.example"}, "https://ci.example"),
        ({"CI_SERVER_URL": "https://ci.example", "GITLAB_URL": "https://git.example/lab/"}, "https://git.example/lab"),
    ],
)
def test_the_environment_says_which_gitlab(environ: dict[str, str], url: str) -> None:
    assert settings.read({**environ, "GITLAB_TOKEN": "x"}).url == url


@pytest.mark.parametrize(
    "url", ["http://git.example", "git.example", "https://me:x@git.example", "ftp://x", "https://[x"]
)
def test_a_token_goes_to_no_address_without_tls(url: str) -> None:
    with pytest.raises(ForgeError, match="not a safe address"):
        connect({"GITLAB_URL": url, "GITLAB_TOKEN": "x"})


@pytest.mark.parametrize("token", ["x7 y8", "x7\ny8", "ä7ü"])
def test_what_cannot_be_a_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ForgeError) as caught:
        connect({"GITLAB_TOKEN": token})
    assert token not in caught.value.message


def test_without_python_gitlab_one_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("dockertpl.fleet.forges.gitlab.")]:
        if not name.endswith(".settings"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gitlab", None)
    with pytest.raises(ForgeError, match="python-gitlab, which is not installed") as caught:
        connect({"GITLAB_TOKEN": "x"})
    assert caught.value.remedy == "Install it: pip install 'dockertpl[gitlab]'"


def test_nothing_of_python_gitlab_is_imported_before_it_is_used() -> None:
    code = "import sys, dockertpl.fleet.forges.gitlab; sys.exit('gitlab' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
