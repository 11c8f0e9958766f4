from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.fleet.forges.clock import Clock
from tests.fleet.forges.github.fake import FakeGitHub, answer

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge, Query
from dockertpl.fleet.forges.github.client import Client
from dockertpl.fleet.forges.github.requests import Sender
from dockertpl.fleet.forges.github.settings import Settings
from dockertpl.fleet.forges.github.tokens import OneToken


@pytest.fixture
def client(fake: FakeGitHub, clock: Clock) -> Client:
    """A client of the fake."""
    return Client(Sender(Settings(token="secret-token"), timing=clock.timing()), OneToken("secret-token"))


@pytest.mark.parametrize("content", [{"message": "x"}, "text", None, 3])
def test_an_answer_of_another_sort_is_an_error(client: Client, fake: FakeGitHub, content: Any) -> None:
    fake.fails("GET", "/repos/org/app/pulls", lambda seen, do: answer(200, content))
    with pytest.raises(ForgeError, match="an unexpected answer"):
        list(client.pages("org/app", "/pulls", doing="look", wanted="x"))
    fake.fails("PATCH", "/repos/org/app/pulls/1", lambda seen, do: answer(200, content))
    with pytest.raises(ForgeError, match="an unexpected answer"):
        client.change("org/app", "/pulls/1", {}, doing="look", wanted="x")


def test_a_page_is_asked_for_only_when_the_one_before_was_full(client: Client, fake: FakeGitHub) -> None:
    fake.issues["org/app"] = [{"number": number, "state": "open"} for number in range(200)]
    assert len(list(client.pages("org/app", "/issues", doing="look", wanted="x"))) == 200
    assert [seen.query["page"] for seen in fake.seen] == ["1", "2", "3"]
    assert next(client.pages("org/app", "/issues", doing="look", wanted="x"))["number"] == 0
    assert len(fake.seen) == 4


def test_a_name_cannot_lead_to_another_path(client: Client, fake: FakeGitHub) -> None:
    client.get("org/../../user?x#y", "/pulls", doing="look", wanted="x")
    assert fake.seen[0].path == "/repos/org/..%2F..%2Fuser%3Fx%23y/pulls"


def test_what_is_there_already_is_not_made(client: Client, fake: FakeGitHub) -> None:
    there = {"number": 7}
    assert client.make("org/app", "/pulls", {}, find=lambda: there, doing="make", wanted="x") is there
    assert fake.seen == []


def test_a_redirection_is_followed_without_a_word_on_the_screen(
    forge: Forge, fake: FakeGitHub, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    there = {"Location": "https://api.github.com/repos/org/app/pulls"}
    fake.fails("GET", "/repos/org/old/pulls", lambda seen, do: answer(301, {}, there))
    assert forge.proposal("org/old", "x") is None
    assert (fake.count("GET", "/repos/org/app/pulls"), caplog.text, capsys.readouterr().err) == (1, "", "")


def test_the_token_is_in_no_log_at_any_level(forge: Forge, fake: FakeGitHub, caplog: pytest.LogCaptureFixture) -> None:
    fake.add("org/a")
    with caplog.at_level(logging.DEBUG, logger="github"):
        list(forge.find(Query(owner="org")))
        forge.report("org/a", "mark", title="t", body="b")
    assert all("secret-token" in seen.authorization for seen in fake.seen)
    assert "/graphql" in caplog.text
    assert "secret-token" not in caplog.text
