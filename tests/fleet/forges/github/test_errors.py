from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import requests.exceptions as network
from github import GithubException

from dockertpl.fleet.forges.github.errors import BusyError, explain, judge
from dockertpl.fleet.forges.github.settings import Settings
from dockertpl.fleet.forges.retry import Fault

NOW = 1000.0
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1090"}


@pytest.mark.parametrize(
    ("status", "message", "headers", "fault"),
    [
        (403, "", {"Retry-After": "7"}, Fault(kind="limited", wait=7)),
        (429, "", {"retry-after": "7"}, Fault(kind="limited", wait=7)),
        (429, "", {}, Fault(kind="limited")),
        (403, "API rate limit exceeded for user ID 1.", SPENT, Fault(kind="limited", wait=91)),
        (403, "", {**SPENT, "retry-after": "200"}, Fault(kind="limited", wait=200)),
        (403, "", {**SPENT, "x-ratelimit-reset": "900"}, Fault(kind="limited")),
        (403, "You have exceeded a secondary rate limit.", {}, Fault(kind="limited")),
        # The hourly limit is not used up, so its reset time means nothing.
        (429, "", {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "1090"}, Fault(kind="limited")),
        (429, "", {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, Fault(kind="limited")),
        (403, "Resource not accessible by integration", {"x-ratelimit-remaining": "12"}, Fault(kind="final")),
        (500, "", {}, Fault(kind="passing")),
        (502, "", {}, Fault(kind="passing")),
        (503, "", {"retry-after": "9"}, Fault(kind="passing", wait=9)),
        (504, "", {}, Fault(kind="passing")),
        (401, "Bad credentials", {}, Fault(kind="login")),
        (404, "Not Found", {}, Fault(kind="final")),
        (422, "Validation Failed", {}, Fault(kind="final")),
    ],
)
def test_what_waiting_helps_is_told_from_what_it_does_not(
    status: int, message: str, headers: Mapping[str, str], fault: Fault
) -> None:
    assert judge(GithubException(status, {"message": message}, dict(headers)), NOW) == fault


@pytest.mark.parametrize("data", [None, "<html>Bad Gateway</html>", {"data": "x"}, {"message": None}, {"errors": 3}])
def test_an_answer_from_another_server_does_not_cause_a_traceback(data: Any) -> None:
    error = GithubException(403, data, None)
    assert judge(error, NOW).kind == "final"
    assert (
        "Cannot look on GitHub: the token lacks permission"
        in explain(error, settings=Settings(), doing="look", wanted="x").message
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (network.ConnectionError("x"), "passing"),
        (network.ReadTimeout("x"), "passing"),
        (network.ChunkedEncodingError("x"), "passing"),
        (network.ProxyError("x"), "passing"),
        (network.SSLError("x"), "final"),
        (network.InvalidURL("x"), "final"),
        (RuntimeError("Github server redirected from http protocol to https"), "final"),
    ],
)
def test_a_lost_connection_may_come_back_and_a_wrong_address_does_not(error: Exception, kind: str) -> None:
    assert judge(error, NOW).kind == kind


def test_the_reason_is_reported_in_plain_words() -> None:
    def told(error: Exception) -> str:
        problem = explain(error, settings=Settings(), doing="look", wanted="x")
        return f"{problem.message} {problem.remedy}"

    assert "the request timed out" in told(network.ReadTimeout("x"))
    assert "the proxy refused the connection" in told(network.ProxyError("x"))
    assert "SSL_CERT_FILE" in told(network.SSLError("x"))
    assert "Check GITHUB_API_URL" in told(RuntimeError("redirected"))
    assert isinstance(explain(GithubException(502), settings=Settings(), doing="look", wanted="x"), BusyError)


def test_what_github_says_is_one_short_line() -> None:
    error = GithubException(422, {"message": "a\n" * 400, "errors": ["b", {"field": "head", "code": "c"}]}, {})
    message = explain(error, settings=Settings(), doing="look", wanted="x").message
    assert "\n" not in message and len(message) < 400
