"""Find repositories and read their answers files with GraphQL, 100 at a time and without a clone."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Query
from dockertpl.fleet.forges.github.client import PAGE, Answered, Client
from dockertpl.fleet.forges.github.errors import BusyError
from dockertpl.fleet.model import Discovered, Repository

_ANSWERS = ".copier-answers*.yml"
_WANTED = "`metadata: read` and `contents: read`"
# Use git for a repository with more answers files, to keep queries small.
_MOST_ANSWERS = 100
# GitHub's limit for the results of a search.
_MOST_FOUND = 1000
_REGULAR = (0o100644, 0o100755, 0o100664)
# Try a query twice before making it smaller.
_FEW_WAITS = (1.0,)

_FIELDS = """
fragment Fields on Repository {
  nameWithOwner url isArchived isFork
  defaultBranchRef { name }
  object(expression: "HEAD:") { ... on Tree { entries { name mode } } }
  repositoryTopics(first: 100) { nodes { topic { name } } }
}"""
_BY_OWNER = """
query($owner: String!, $size: Int!, $after: String) {
  repositoryOwner(login: $owner) {
    repositories(first: $size, after: $after, ownerAffiliations: [OWNER], orderBy: {field: NAME, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      nodes { ...Fields }
    }
  }
}"""
_BY_SEARCH = """
query($search: String!, $size: Int!, $after: String) {
  search(query: $search, type: REPOSITORY, first: $size, after: $after) {
    repositoryCount
    pageInfo { hasNextPage endCursor }
    nodes { ...Fields }
  }
}"""


class _Listed(NamedTuple):
    """A repository of a list, with the names of its answers files if they are known."""

    slug: str
    url: str
    base: str
    names: tuple[str, ...] | None


def find(client: Client, query: Query) -> Iterator[Discovered]:
    """Yield the repositories of a query with the texts of their answers files, in the order of their names.

    A repository whose files cannot be read has no texts.

    Raises:
        ForgeError: GitHub refuses, cannot be reached, or does not find the owner.
    """
    listed = {repository.slug: repository for repository in _list(client, query)}
    ordered = sorted(listed.values(), key=lambda repository: (repository.slug.lower(), repository.slug))
    for start in range(0, len(ordered), PAGE):
        batch = ordered[start : start + PAGE]
        texts = _texts(client, query.owner, batch)
        for repository in batch:
            yield Discovered(repository=_repository(repository), answers=texts[repository.slug])


def _list(client: Client, query: Query) -> Iterator[_Listed]:
    for node, is_all in _nodes(client, query):
        topics = {str(_at(part, "topic", "name")) for part in _at(node, "repositoryTopics", "nodes") or []}
        if (
            (node.get("isArchived") and not query.archived)
            or (node.get("isFork") and not query.forks)
            or (query.topic and query.topic not in topics)
        ):
            continue
        slug = str(node["nameWithOwner"])
        yield _Listed(slug, str(node["url"]), str(_at(node, "defaultBranchRef", "name") or ""), _names(node, is_all))


def _nodes(client: Client, query: Query) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the listed repositories, each with whether its page is complete. Halve a page that is too large."""
    by_owner = bool(query.owner) and not query.search
    text = (_BY_OWNER if by_owner else _BY_SEARCH) + _FIELDS
    variables = {"owner": query.owner} if by_owner else {"search": _search(query)}
    what = query.owner if by_owner else f"the search {variables['search']!r}"
    size, after = PAGE, None
    while True:
        asked = {**variables, "size": size, "after": after}
        answered = _ask(client, query.owner, text, asked, f"list the repositories of {what}", parts=size)
        if answered is None:
            size //= 2
            continue
        page = _at(answered.data, "repositoryOwner", "repositories") if by_owner else answered.data.get("search")
        if page is None:
            raise _none(client, what, answered)
        if (count := page.get("repositoryCount") or 0) > _MOST_FOUND:
            raise ForgeError(
                f"{what[0].upper()}{what[1:]} finds {count} repositories, but GitHub only lists {_MOST_FOUND}.",
                "Narrow the search, or name an owner and a topic: github:OWNER?topic=TOPIC has no such limit.",
            )
        nodes = page["nodes"] or []
        seen = [node for node in nodes if node]
        if nodes and not seen and answered.errors:
            raise _none(client, what, answered)
        yield from ((node, not answered.errors) for node in seen)
        if not _at(page, "pageInfo", "hasNextPage"):
            return
        after = page["pageInfo"]["endCursor"]


def _ask(
    client: Client, owner: str, text: str, variables: Mapping[str, Any], doing: str, *, parts: int
) -> Answered | None:
    """Send a query, or return None if it should be smaller. GitHub aborts slow queries."""
    try:
        return client.query(owner, text, variables, doing=doing, wanted=_WANTED, waits=_FEW_WAITS)
    except BusyError as error:
        if parts > 1 and "status" in error.data:
            return None
    return client.query(owner, text, variables, doing=doing, wanted=_WANTED)


def _search(query: Query) -> str:
    words = [query.search] if query.search else []
    words += [f"user:{query.owner}"] if query.owner else []
    words += [f"topic:{query.topic}"] if query.topic else []
    if not words:
        raise ForgeError("The place names no owner, topic or search for GitHub.", "Name one: github:OWNER?topic=TOPIC")
    words += [] if query.archived else ["archived:false"]
    # A search leaves forks out by default.
    words += ["fork:true"] if query.forks else []
    return " ".join(words)


def _names(node: Mapping[str, Any], is_all: bool) -> tuple[str, ...] | None:
    """Return the names of a repository's answers files, or None if git must list them."""
    if node.get("defaultBranchRef") is None and is_all:
        # No commit yet. Without permission the value is empty, too, but the answer has an error.
        return ()
    entries = _at(node, "object", "entries")
    if entries is None:
        return None
    found = [entry for entry in entries if fnmatch.fnmatchcase(entry["name"], _ANSWERS)]
    if len(found) > _MOST_ANSWERS or any(entry["mode"] not in _REGULAR for entry in found):
        return None
    return tuple(sorted(entry["name"] for entry in found))


def _texts(client: Client, owner: str, batch: Sequence[_Listed]) -> dict[str, Mapping[str, str] | None]:
    """Return the texts of each repository's answers files, or None if git must read them."""
    texts: dict[str, Mapping[str, str] | None] = {
        repository.slug: None if repository.names is None else {} for repository in batch
    }
    wanted = [repository for repository in batch if repository.names]
    if not wanted:
        return texts
    text, variables = _ask_for(wanted)
    doing = f"read the answers files of {len(wanted)} repositories, {wanted[0].slug} first"
    try:
        answered = _ask(client, owner, text, variables, doing, parts=len(wanted))
    except BusyError as error:
        if len(wanted) > 1 or "status" not in error.data:
            raise
        return {**texts, wanted[0].slug: None}
    if answered is None:
        middle = len(wanted) // 2
        return texts | _texts(client, owner, wanted[:middle]) | _texts(client, owner, wanted[middle:])
    for number, repository in enumerate(wanted):
        texts[repository.slug] = _read(answered.data.get(f"r{number}"), repository.names or ())
    return texts


def _ask_for(wanted: Sequence[_Listed]) -> tuple[str, dict[str, str]]:
    """Return a query for all answers files, and its variables. Names are never part of the query."""
    parts: list[str] = []
    variables: dict[str, str] = {}
    for number, repository in enumerate(wanted):
        variables[f"o{number}"], _, variables[f"n{number}"] = repository.slug.partition("/")
        files = []
        for place, name in enumerate(repository.names or ()):
            key = f"e{number}_{place}"
            variables[key] = f"HEAD:{name}"
            files.append(f"f{place}: object(expression: ${key}) {{ ... on Blob {{ text isTruncated }} }}")
        parts.append(f"r{number}: repository(owner: $o{number}, name: $n{number}) {{ {' '.join(files)} }}")
    declared = ", ".join(f"${name}: String!" for name in variables)
    return f"query({declared}) {{ {' '.join(parts)} }}", variables


def _read(repository: Mapping[str, Any] | None, names: Sequence[str]) -> Mapping[str, str] | None:
    texts: dict[str, str] = {}
    for place, name in enumerate(names):
        blob = (repository or {}).get(f"f{place}") or {}
        # The text is cut off, or is not text: read it with git.
        if blob.get("isTruncated") or not isinstance(blob.get("text"), str):
            return None
        texts[name] = blob["text"]
    return texts


def _repository(listed: _Listed) -> Repository:
    return Repository(
        key=listed.url.partition("://")[2],
        location=f"{listed.url}.git",
        forge="github",
        slug=listed.slug,
        base=listed.base,
    )


def _none(client: Client, what: str, answered: Answered) -> ForgeError:
    said = "; ".join(str(error.get("message"))[:200].rstrip(".") for error in answered.errors[:1])
    return ForgeError(
        f"{client.sender.settings.name} lists no repositories for {what}{f' ({said})' if said else ''}.",
        f"Check the name. The token must be for that owner, with {_WANTED}.",
    )


def _at(value: Any, *path: str) -> Any:
    """Return the value at a path of keys, or None."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
