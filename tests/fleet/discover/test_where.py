"""A fleet is found in every source that you name, and each repository appears once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fleet.fakes import FakeForge, push_bare

from dockertpl.errors import BadInputError
from dockertpl.fleet.discover.where import Filters, at_url, find
from dockertpl.fleet.forges.base import Query
from dockertpl.fleet.forges.connect import Forges
from dockertpl.fleet.model import Discovered

Git = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("web/shop", "web/blog", "api", ".hidden", "web/shop/vendored"):
        path = tmp_path / "fleet" / name
        path.mkdir(parents=True)
        git(path, "init", "--quiet")
    (tmp_path / "fleet" / "linked").symlink_to("/")
    (tmp_path / "fleet" / "notes.txt").write_text("no repository\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _keys(*places: str, forges: Forges | None = None, **filters: Sequence[str]) -> list[str]:
    found = find(places, filters=Filters(**filters), base="", forges=forges or Forges(environ={}))
    return [each.repository.key for each in found]


def test_a_folder_s_repositories_are_found_and_no_link_is_followed(folder: Path) -> None:
    assert _keys("fleet") == ["fleet/api", "fleet/web/blog", "fleet/web/shop"]
    assert _keys("fleet/web/shop") == ["fleet/web/shop"]


@pytest.mark.parametrize(("within", "place"), [("", "."), ("vendored", ".."), ("vendored", "../../shop")])
def test_a_repository_has_a_name_from_within(
    within: str, place: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "fleet/web/shop" / within)
    (key,) = _keys(place)
    assert key.rpartition("/")[2] == "shop"


def test_a_list_holds_places_of_every_sort_and_each_repository_is_there_once(folder: Path) -> None:
    (folder / "list.txt").write_text("# ours\nfleet/web # both\n\nhttps://github.com/org/x.git\nfleet/web/shop\n")
    assert _keys("list.txt", "fleet/api") == [
        "fleet/web/blog",
        "fleet/web/shop",
        "github.com/org/x",
        "fleet/api",
    ]


def test_a_forge_s_repository_is_one_however_it_is_spelled(folder: Path) -> None:
    spelled = ["https://github.com/Org/X.git", "git@github.com:org/x", "ssh://git@github.com/org/x.git"]
    assert _keys(*spelled) == ["github.com/Org/X"]
    assert len(_keys("https://git.example.com/Org/x", "https://git.example.com/org/x")) == 2


def test_a_repository_is_of_this_machine_or_is_fetched(folder: Path) -> None:
    for place, local in [
        ("fleet/api", True),
        ("deploy@git.example.com:org/x.git", False),
        ("https://git.example.com/x", False),
    ]:
        (found,) = find([place], filters=Filters(), base="", forges=Forges(environ={}))
        assert found.repository.is_local is local


def test_patterns_choose(folder: Path) -> None:
    assert _keys("fleet", include=["s*"]) == ["fleet/web/shop"]
    assert _keys("fleet", include=["fleet/web/*"], exclude=["blog"]) == ["fleet/web/shop"]


def test_a_forge_is_asked(folder: Path, git: Git) -> None:
    git(folder / "fleet/api", "commit", "--quiet", "--allow-empty", "--message", "one")
    push_bare(folder / "fleet/api", folder)
    forges = Forges(environ={}, _connected={"github": FakeForge(bare=folder)})
    assert _keys("github:org", forges=forges) == ["forge/org/api"]


class _Told(FakeForge):
    def find(self, query: Query) -> Iterator[Discovered]:
        for found in super().find(query):
            yield replace(found, repository=replace(found.repository, base="main"), answers={"a": "b"})


@pytest.mark.parametrize(("base", "answers"), [("", {"a": "b"}), ("main", {"a": "b"}), ("next", None)])
def test_the_answers_of_the_default_branch_are_no_other_s(
    base: str, answers: dict[str, str] | None, folder: Path, git: Git
) -> None:
    git(folder / "fleet/api", "commit", "--quiet", "--allow-empty", "--message", "one")
    push_bare(folder / "fleet/api", folder)
    forges = Forges(environ={}, _connected={"github": _Told(bare=folder)})
    (found,) = find(["github:org"], filters=Filters(), base=base, forges=forges)
    assert (found.repository.base, found.answers) == (base or "main", answers)


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("missing", "not a place"),
        ("github:", "names no owner"),
        ("github:org?sort=name", "sort"),
        ("list.txt", "lists 'nothing'"),
        ("binary", "not UTF-8"),
    ],
)
def test_an_invalid_place_is_reported(place: str, word: str, folder: Path) -> None:
    (folder / "list.txt").write_text("nothing\n")
    (folder / "binary").write_bytes(b"\xff\xfe\0")
    with pytest.raises(BadInputError, match=word):
        _keys(place)


@pytest.mark.parametrize(
    ("url", "environ", "forge"),
    [
        ("git@github.com:org/x.git", {}, "github"),
        ("https://gitlab.com/group/sub/x", {}, "gitlab"),
        ("https://git.example.com/org/x", {}, ""),
        ("https://git.example.com/org/x", {"GITHUB_API_URL": "https://git.example.com/api/v3"}, "github"),
        ("https://git.example.com/org/x", {"GITHUB_API_URL": "https://api.git.example.com"}, "github"),
        ("https://git.example.com:8443/org/x", {"GITLAB_URL": "https://git.example.com:8443"}, "gitlab"),
        ("https://github.com/org/x", {"GITHUB_API_URL": "https://api.github.com", "GITLAB_URL": ""}, "github"),
        # Your own forge has another repository of that name.
        ("https://github.com/org/x", {"GITHUB_API_URL": "https://git.example.com/api/v3"}, ""),
        ("https://gitlab.com/org/x", {"CI_SERVER_URL": "https://git.example.com"}, ""),
        ("https://ci.example.com/org/x", {"CI_SERVER_URL": "https://ci.example.com", "GITLAB_URL": "https://x"}, ""),
    ],
)
def test_an_address_says_which_forge_it_is_at(url: str, environ: dict[str, str], forge: str) -> None:
    repository = at_url(url, Forges(environ=environ))
    assert (repository.forge, repository.slug.rpartition("/")[2]) == (forge, "x" if forge else "")


def test_a_file_s_address_is_a_folder_of_this_machine(folder: Path) -> None:
    # After a `git push`, a repository would run its own hooks here.
    repository = at_url(f"file://{folder}/my%20app.git", Forges(environ={}))
    assert (repository.location, repository.is_local) == (f"{folder}/my app.git", True)
