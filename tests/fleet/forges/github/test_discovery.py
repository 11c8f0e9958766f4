from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.fleet.forges.clock import Clock
from tests.fleet.forges.github.fake import FakeGitHub, answer, drops, says

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge, Query
from dockertpl.fleet.model import Discovered, Repository

NAME = ".copier-answers.yml"
OTHER = ".copier-answers.web.yml"


def _texts(found: list[Discovered]) -> dict[str, Mapping[str, str] | None]:
    return {item.repository.slug: item.answers for item in found}


def _find(forge: Forge, **query: Any) -> list[Discovered]:
    return list(forge.find(Query(**{"owner": "org", **query})))


def test_repositories_come_by_name_with_the_texts_of_their_answers_files(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/Zebra", {NAME: "z: 1"})
    fake.add("org/apple", {NAME: "a: 1", OTHER: "a: 2"}, defaultBranchRef={"name": "trunk"})
    fake.add("org/none")
    found = _find(forge)
    assert list(_texts(found).items()) == [
        ("org/apple", {NAME: "a: 1", OTHER: "a: 2"}),
        ("org/none", {}),
        ("org/Zebra", {NAME: "z: 1"}),
    ]
    assert found[0].repository == Repository(
        key="github.com/org/apple",
        location="https://github.com/org/apple.git",
        forge="github",
        slug="org/apple",
        base="trunk",
    )


def test_a_hundred_repositories_take_one_query_for_the_list_and_one_for_the_texts(
    forge: Forge, fake: FakeGitHub
) -> None:
    for number in range(350):
        fake.add(f"org/r{number:03}", {NAME: f"n: {number}", OTHER: "x: 1"})
    found = _find(forge)
    assert [item.answers for item in found] == [{NAME: f"n: {number}", OTHER: "x: 1"} for number in range(350)]
    assert fake.count("POST", "/graphql") == 4 + 4
    assert {seen.method for seen in fake.seen} == {"POST"}


def test_texts_are_fetched_only_when_they_are_asked_for(forge: Forge, fake: FakeGitHub) -> None:
    for number in range(300):
        fake.add(f"org/r{number:03}", {NAME: "n: 1"})
    assert next(forge.find(Query(owner="org"))).repository.slug == "org/r000"
    assert fake.count("POST", "/graphql") == 3 + 1


def test_archived_ones_and_forks_are_left_out_unless_they_are_wanted(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/a", isArchived=True)
    fake.add("org/b", isFork=True)
    fake.add("org/c")
    assert list(_texts(_find(forge))) == ["org/c"]
    assert list(_texts(_find(forge, archived=True))) == ["org/a", "org/c"]
    assert list(_texts(_find(forge, forks=True))) == ["org/b", "org/c"]


def test_a_topic_is_looked_for_in_the_list_which_has_no_thousand_as_its_end(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/a", repositoryTopics={"nodes": [{"topic": {"name": "python"}}]})
    fake.add("org/b")
    assert list(_texts(_find(forge, topic="python"))) == ["org/a"]
    assert "owner" in fake.seen[0].content["variables"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(search="language:go"), "language:go archived:false"),
        (Query(search="x", owner="org", topic="t"), "x user:org topic:t archived:false"),
        (Query(topic="t", archived=True, forks=True), "topic:t fork:true"),
    ],
)
def test_a_search_is_github_s_with_the_filters_in_its_words(
    forge: Forge, fake: FakeGitHub, query: Query, words: str
) -> None:
    fake.add("org/a", repositoryTopics={"nodes": [{"topic": {"name": "t"}}]})
    assert [item.repository.slug for item in forge.find(query)] == ["org/a"]
    assert fake.seen[0].content["variables"]["search"] == words


def test_a_search_that_finds_more_than_github_gives_is_refused(forge: Forge, fake: FakeGitHub) -> None:
    for number in range(1001):
        fake.add(f"org/{number}")
    with pytest.raises(ForgeError, match="finds 1001") as caught:
        list(forge.find(Query(search="x")))
    assert "Narrow the search" in caught.value.remedy


def test_a_query_of_nothing_is_refused(forge: Forge) -> None:
    with pytest.raises(ForgeError, match="no owner"):
        _find(forge, owner="")


def test_an_owner_that_is_not_there_is_said(forge: Forge) -> None:
    with pytest.raises(ForgeError, match="no repositories for org") as caught:
        _find(forge)
    assert "Check the name." in caught.value.remedy


# --- a broken repository does not affect the others ------------------------------------------------------------------


@pytest.mark.parametrize("blob", [{"text": None, "isTruncated": False}, {"text": "a", "isTruncated": True}, {}])
def test_a_truncated_or_binary_file_is_left_to_git(forge: Forge, fake: FakeGitHub, blob: dict[str, Any]) -> None:
    fake.add("org/a", {NAME: blob})
    fake.add("org/b", {NAME: "b: 1"})
    assert _texts(_find(forge)) == {"org/a": None, "org/b": {NAME: "b: 1"}}


def test_a_link_in_the_place_of_an_answers_file_is_left_to_git(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/a", {NAME: "../secret"}, object={"entries": [{"name": NAME, "mode": 0o120000}]})
    assert _texts(_find(forge)) == {"org/a": None}


def test_a_repository_with_hundreds_of_answers_files_is_left_to_git(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/a", {f".copier-answers.{number}.yml": "x" for number in range(101)})
    assert _texts(_find(forge)) == {"org/a": None}


def test_an_empty_repository_has_none_and_one_whose_tree_is_withheld_is_left_to_git(
    forge: Forge, fake: FakeGitHub
) -> None:
    fake.add("org/a", defaultBranchRef=None, object=None)
    fake.add("org/b", object=None)
    found = _find(forge)
    assert _texts(found) == {"org/a": {}, "org/b": None}
    assert found[0].repository.base == ""


def test_one_that_a_token_may_not_see_into_is_not_taken_for_empty(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/a", defaultBranchRef=None, object=None)
    said = {"type": "FORBIDDEN", "message": "Resource not accessible by personal access token"}
    fake.fails("POST", "/graphql", lambda seen, do: answer(200, {**do().json(), "errors": [said]}))
    assert _texts(_find(forge)) == {"org/a": None}


def test_a_repository_that_went_away_between_the_queries_is_left_to_git(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/a", {NAME: "a: 1"})
    fake.add("org/b", {NAME: "b: 1"})
    del fake.texts["org/a"]
    assert _texts(_find(forge)) == {"org/a": None, "org/b": {NAME: "b: 1"}}


def test_a_name_is_data_whatever_is_in_it(forge: Forge, fake: FakeGitHub) -> None:
    name = '.copier-answers."){viewer{login}}.yml'
    fake.add("org/a", {name: "a: 1"})
    assert _texts(_find(forge)) == {"org/a": {name: "a: 1"}}
    assert name not in fake.seen[-1].content["query"]


def test_a_query_that_is_too_much_is_asked_in_halves(forge: Forge, fake: FakeGitHub) -> None:
    for number in range(100):
        fake.add(f"org/r{number:03}", {NAME: f"n: {number}"})
    fake.biggest_query = 30
    assert len([item for item in _find(forge) if item.answers]) == 100


def test_a_repository_whose_texts_github_never_manages_is_left_to_git(forge: Forge, fake: FakeGitHub) -> None:
    fake.add("org/a", {NAME: "a: 1"})
    fake.add("org/b", {NAME: "b: 1"})

    def _no_a(seen: Any, do: Any) -> Any:
        if seen.content["variables"].get("n0") == "a":
            fake.fails("POST", "/graphql", _no_a)
            return answer(502, {"message": "Bad Gateway"})
        fake.fails("POST", "/graphql", _no_a)
        return do()

    fake.fails("POST", "/graphql", _no_a)
    assert _texts(_find(forge)) == {"org/a": None, "org/b": {NAME: "b: 1"}}


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        says(502, "Bad Gateway"),
        drops(after=False),
        says(403, "You have exceeded a secondary rate limit", Retry_After="5"),
        lambda seen, do: answer(200, {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}),
        lambda seen, do: answer(200, {"data": None, "errors": [{"message": "Something went wrong."}]}),
    ],
)
def test_a_passing_fault_changes_nothing(forge: Forge, fake: FakeGitHub, clock: Clock, fault: Any) -> None:
    fake.add("org/a", {NAME: "a: 1"})
    fake.fails("POST", "/graphql", fault, fault)
    assert _texts(_find(forge)) == {"org/a": {NAME: "a: 1"}}
    assert clock.waits


def test_a_network_that_is_not_there_ends_it_and_is_not_asked_in_halves(forge: Forge, fake: FakeGitHub) -> None:
    fake.fails("POST", "/graphql", *[drops(after=False)] * 50)
    with pytest.raises(ForgeError, match="Cannot list the repositories of org: GitHub cannot be reached"):
        _find(forge)
    assert fake.count("POST", "/graphql") == 8


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            {"type": "FORBIDDEN", "message": "Resource not accessible"},
            "Cannot list the repositories of org on GitHub: the token lacks permission",
        ),
        ({"type": "INSUFFICIENT_SCOPES", "message": "needs read:org"}, "needs read:org"),
        ({"message": "Parse error", "locations": []}, "Parse error"),
    ],
)
def test_a_refusal_by_github_is_reported_in_its_own_words(
    forge: Forge, fake: FakeGitHub, error: dict[str, Any], message: str
) -> None:
    fake.fails("POST", "/graphql", lambda seen, do: answer(200, {"errors": [error]}))
    with pytest.raises(ForgeError, match=message):
        _find(forge)
