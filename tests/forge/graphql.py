"""GitHub's GraphQL API with its official schema. It refuses every query that GitHub would refuse."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import graphql
from tests.samples import next_sample

_PACKAGE = "@octokit/graphql-schema@15.26.1"
Json = dict[str, Any]
_MOST = 100
_TEXT = 512_000


@functools.cache
def schema() -> graphql.GraphQLSchema:
    """Return the schema."""
    _, command = next_sample.node_package(_PACKAGE, "none")
    path = Path(command).parents[1] / "@octokit" / "graphql-schema" / "schema.graphql"
    return graphql.build_schema(path.read_text(), assume_valid=True, no_location=True)


@dataclass(frozen=True)
class About:
    """The properties of a repository.

    Attributes:
        topics: Its topics.
        archived: Whether it is archived.
        fork: Whether it is a fork.
    """

    topics: tuple[str, ...] = ()
    archived: bool = False
    fork: bool = False


class Hub(NamedTuple):
    """The data behind the queries.

    Attributes:
        root: The folder of the repositories.
        url: The URL of the forge.
        login: The user who sends the query.
        about: The properties of repositories.
        people: The owners that are users, not organizations.
    """

    root: Path
    url: str
    login: str
    about: Mapping[str, About]
    people: Collection[str]


def execute(hub: Hub, query: str, variables: Mapping[str, Any]) -> Json:
    """Return the answer to a query.

    Args:
        hub: The data behind the query.
        query: The query.
        variables: Its variables.
    """
    value: Json = {
        "viewer": {"login": hub.login},
        "repository": lambda info, owner, name, **_: _repository(hub, f"{owner}/{name}"),
        "repositoryOwner": lambda info, login: _owner(hub, login),
        "organization": lambda info, login: _owner(hub, login, "Organization"),
        "user": lambda info, login: _owner(hub, login, "User"),
        "search": lambda info, **arguments: _search(hub, arguments["query"], arguments),
    }
    result = graphql.graphql_sync(schema(), query, root_value=value, variable_values=dict(variables))
    answer: Json = {"data": result.data}
    if result.errors:
        answer["errors"] = [{"message": error.message, "path": error.path} for error in result.errors]
    return answer


def _slugs(hub: Hub) -> Iterator[str]:
    for path in sorted(hub.root.glob("*/*.git")):
        yield path.relative_to(hub.root).as_posix().removesuffix(".git")


def _owner(hub: Hub, login: str, wanted: str = "") -> Json | None:
    slugs = [slug for slug in _slugs(hub) if slug.startswith(f"{login}/")]
    kind = "User" if login in hub.people else "Organization"
    if not slugs or wanted not in ("", kind):
        if wanted:
            raise graphql.GraphQLError(f"Could not resolve to a {wanted} with the login of '{login}'.")
        return None

    def repositories(info: object, **arguments: Any) -> Json:
        found = slugs
        for argument, attribute in (("isArchived", "archived"), ("isFork", "fork")):
            if (asked := arguments.get(argument)) is not None:
                found = [slug for slug in found if getattr(_about(hub, slug), attribute) is asked]
        return _page(hub, found, arguments)

    return {"__typename": kind, "login": login, "repositories": repositories}


def _about(hub: Hub, slug: str) -> About:
    return hub.about.get(slug, About())


def _search(hub: Hub, words: str, arguments: Mapping[str, Any]) -> Json:
    slugs = [slug for slug in _slugs(hub) if all(_has(hub, slug, word) for word in words.split())]
    if not any(word.startswith("fork:") for word in words.split()):
        slugs = [slug for slug in slugs if not _about(hub, slug).fork]
    return {**_page(hub, slugs, arguments), "repositoryCount": len(slugs)}


def _has(hub: Hub, slug: str, word: str) -> bool:
    about, (name, colon, value) = _about(hub, slug), word.partition(":")
    if not colon:
        return word in slug
    kept = {
        "topic": value in about.topics,
        "archived": about.archived is (value == "true"),
        "fork": value == "true" or about.fork is (value == "only"),
        "repo": value == slug,
    }
    kept |= dict.fromkeys(("org", "user", "owner"), value == slug.partition("/")[0])
    # GitHub has more qualifiers. An unknown one must not count as a match.
    if name not in kept:
        raise graphql.GraphQLError(f"The forge of the tests does not know {name}: in a search.")
    return kept[name]


def _page(hub: Hub, slugs: list[str], arguments: Mapping[str, Any]) -> Json:
    size, start = arguments.get("first"), int(arguments.get("after") or 0)
    if size is None:
        raise graphql.GraphQLError("You must provide a `first` or `last` value to properly paginate.")
    if size > _MOST:
        raise graphql.GraphQLError(f"Requesting {size} records exceeds the limit of {_MOST}.")
    end = start + size
    return {
        "nodes": [_repository(hub, slug) for slug in slugs[start:end]],
        "totalCount": len(slugs),
        "pageInfo": {"hasNextPage": end < len(slugs), "endCursor": str(end)},
    }


def _repository(hub: Hub, slug: str) -> Json | None:
    path = hub.root / f"{slug}.git"
    if not path.is_dir():
        return None
    about, branch = _about(hub, slug), _git(path, "symbolic-ref", "--short", "HEAD").decode().strip()
    there = _git(path, "rev-parse", "--verify", "--quiet", "HEAD") != b""
    return {
        "__typename": "Repository",
        "nameWithOwner": slug,
        "name": slug.partition("/")[2],
        "url": f"{hub.url}/{slug}",
        "isArchived": about.archived,
        "isFork": about.fork,
        "isEmpty": not there,
        "defaultBranchRef": {"name": branch} if there else None,
        "repositoryTopics": lambda info, **_: {"nodes": [{"topic": {"name": name}} for name in about.topics]},
        "object": _object(path),
    }


def _object(path: Path) -> Callable[..., Json | None]:
    def read(info: object, expression: str) -> Json | None:
        kind = _git(path, "cat-file", "-t", expression).decode().strip()
        if kind == "tree":
            return {"__typename": "Tree", "entries": [_entry(line) for line in _entries(path, expression)]}
        if kind == "blob":
            content = _git(path, "cat-file", "blob", expression)
            binary = b"\0" in content
            # GitHub returns the first 512 kB of a text.
            text = None if binary else content[:_TEXT].decode(errors="replace")
            found = {"isBinary": binary, "isTruncated": len(content) > _TEXT, "byteSize": len(content)}
            return {"__typename": "Blob", "text": text, **found}
        return None

    return read


def _entries(path: Path, expression: str) -> list[str]:
    return _git(path, "ls-tree", "-z", expression).decode().split("\0")[:-1]


def _entry(line: str) -> Json:
    meta, _, name = line.partition("\t")
    mode, kind, _ = meta.split()
    return {"name": name, "mode": int(mode, 8), "type": kind}


def _git(path: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=path, capture_output=True, check=False).stdout
