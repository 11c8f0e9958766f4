"""GitHub's GraphQL API, executed against its official schema: a query that GitHub would refuse is refused."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import graphql
from tests.samples import next_sample

_PACKAGE = "@octokit/graphql-schema@15.26.1"
Json = dict[str, Any]
_MOST = 100


@functools.cache
def schema() -> graphql.GraphQLSchema:
    """Return the schema."""
    _, command = next_sample.node_package(_PACKAGE, "none")
    path = Path(command).parents[1] / "@octokit" / "graphql-schema" / "schema.graphql"
    return graphql.build_schema(path.read_text(), assume_valid=True, no_location=True)


def execute(root: Path, url: str, login: str, query: str, variables: Mapping[str, Any]) -> Json:
    """Return the answer to a query.

    Args:
        root: The folder of the forge's repositories.
        url: The forge's address.
        login: Who asks.
        query: The query.
        variables: Its variables.
    """
    value: Json = {
        "viewer": {"login": login},
        "repository": lambda info, owner, name, **_: _repository(root, url, f"{owner}/{name}"),
        "repositoryOwner": lambda info, login: _owner(root, url, login),
        "search": lambda info, **arguments: _search(root, url, arguments["query"], arguments),
    }
    result = graphql.graphql_sync(schema(), query, root_value=value, variable_values=dict(variables))
    answer: Json = {"data": result.data}
    if result.errors:
        answer["errors"] = [{"message": error.message, "path": error.path} for error in result.errors]
    return answer


def _slugs(root: Path) -> Iterator[str]:
    for path in sorted(root.glob("*/*.git")):
        yield path.relative_to(root).as_posix().removesuffix(".git")


def _owner(root: Path, url: str, login: str) -> Json | None:
    slugs = [slug for slug in _slugs(root) if slug.startswith(f"{login}/")]
    if not slugs:
        return None
    return {
        "__typename": "Organization",
        "login": login,
        "repositories": lambda info, **arguments: _page([_repository(root, url, slug) for slug in slugs], arguments),
    }


def _search(root: Path, url: str, words: str, arguments: Mapping[str, Any]) -> Json:
    plain = [word for word in words.split() if ":" not in word]
    slugs = [slug for slug in _slugs(root) if all(word in slug for word in plain)]
    return {**_page([_repository(root, url, slug) for slug in slugs], arguments), "repositoryCount": len(slugs)}


def _page(nodes: list[Json | None], arguments: Mapping[str, Any]) -> Json:
    size, start = arguments["first"], int(arguments.get("after") or 0)
    if size > _MOST:
        raise graphql.GraphQLError(f"Requesting {size} records exceeds the limit of {_MOST}.")
    end = start + size
    return {
        "nodes": nodes[start:end],
        "totalCount": len(nodes),
        "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)},
    }


def _repository(root: Path, url: str, slug: str) -> Json | None:
    path = root / f"{slug}.git"
    if not path.is_dir():
        return None
    branch = _git(path, "symbolic-ref", "--short", "HEAD").decode().strip()
    return {
        "__typename": "Repository",
        "nameWithOwner": slug,
        "name": slug.partition("/")[2],
        "url": f"{url}/{slug}",
        "isArchived": False,
        "isFork": False,
        "isEmpty": False,
        "defaultBranchRef": {"name": branch},
        "repositoryTopics": lambda info, **_: {"nodes": []},
        "object": _object(path),
    }


def _object(path: Path) -> Callable[..., Json | None]:
    def found(info: object, expression: str) -> Json | None:
        kind = _git(path, "cat-file", "-t", expression).decode().strip()
        if kind == "tree":
            return {"__typename": "Tree", "entries": [_entry(line) for line in _entries(path, expression)]}
        if kind == "blob":
            text = _git(path, "cat-file", "blob", expression).decode()
            return {"__typename": "Blob", "text": text, "isTruncated": False, "byteSize": len(text)}
        return None

    return found


def _entries(path: Path, expression: str) -> list[str]:
    return _git(path, "ls-tree", "-z", expression).decode().split("\0")[:-1]


def _entry(line: str) -> Json:
    meta, _, name = line.partition("\t")
    mode, kind, _ = meta.split()
    return {"name": name, "mode": int(mode, 8), "type": kind}


def _git(path: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=path, capture_output=True, check=False).stdout
