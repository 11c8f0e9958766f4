"""dockertpl connects to a forge once, on first use, and an interrupt ends every wait for it."""

from __future__ import annotations

import threading

import pytest

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.connect import Forges
from dockertpl.fleet.model import Repository

HERE = Repository(key="app", location="app")
THERE = Repository(key="github.com/org/app", location="https://github.com/org/app", forge="github", slug="org/app")


def test_plain_git_has_no_forge_and_no_settings() -> None:
    forges = Forges(environ={})
    assert (forges.of(HERE), forges.settings(HERE)) == (None, {})


def test_without_a_token_a_repository_is_read_anonymously_and_not_written() -> None:
    forges = Forges(environ={})
    assert forges.settings(THERE) == {}
    with pytest.raises(ForgeError, match="No GitHub token"):
        forges.of(THERE)


def test_with_a_token_git_has_it_for_that_host_alone() -> None:
    forges = Forges(environ={"GITHUB_TOKEN": "secret"})
    assert list(forges.settings(THERE)) == ["http.https://github.com/.extraHeader"]
    assert forges.of(THERE) is forges.connect("github")


def test_a_wait_is_reported_before_it_begins() -> None:
    told: list[float] = []
    forges = Forges(environ={}, waiting=told.append)
    forges.stop()
    with pytest.raises(KeyboardInterrupt):
        forges._sleep(3600)
    assert told == [3600]


def test_waiting_can_be_interrupted() -> None:
    forges = Forges(environ={})
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(KeyboardInterrupt):
            forges._sleep(3600)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    forges.stop()
    thread.join(10)
    assert ended.is_set()
