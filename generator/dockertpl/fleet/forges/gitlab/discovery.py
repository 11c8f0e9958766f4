"""Find the projects of a group, user, topic or search, and read their answers files without a clone.

This uses the REST API, which every version of GitLab has: one request for 100 projects, one for a project's root
folder, and one for each answers file.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Query
from dockertpl.fleet.forges.gitlab.client import Client, project
from dockertpl.fleet.model import Discovered, Repository
from dockertpl.fleet.pool import ordered

_ANSWERS = ".copier-answers*.yml"
_REGULAR = ("100644", "100755")
# Use git for a root folder with more entries or answers files.
_MOST_ENTRIES = 1000
_MOST_ANSWERS = 50
_MOST_BYTES = 1024 * 1024
_AT_ONCE = 8


def find(client: Client, query: Query) -> Iterator[Discovered]:
    """Yield the repositories of a query with the texts of their answers files, in the order of their names.

    Raises:
        ForgeError: GitLab refuses or cannot be reached.
    """
    listed = {item["path_with_namespace"]: item for item in _listed(client, query) if _wanted(item, query)}
    yield from ordered(lambda name: _found(client, listed[name]), sorted(listed), _AT_ONCE)


def _listed(client: Client, query: Query) -> Iterator[dict[str, Any]]:
    options: dict[str, Any] = {"order_by": "id", "sort": "asc"}
    if not query.archived:
        options["archived"] = "false"
    if query.search:
        options["search"] = query.search
    if query.topic:
        options["topic"] = query.topic
    if not query.owner:
        yield from client.pages("/projects", doing="search for projects", **options)
        return
    owner = quote(query.owner, safe="")
    doing = f"list the projects of {query.owner}"
    group = {"include_subgroups": "true", "with_shared": "false"}
    try:
        yield from client.pages(f"/groups/{owner}/projects", doing=doing, **options, **group)
    except ForgeError as error:
        # The name may be a user's. If it is wrong, the second request fails, too.
        if error.data.get("status") != 404 or "/" in query.owner:
            raise
        yield from client.pages(f"/users/{owner}/projects", doing=doing, **options)


def _wanted(item: Mapping[str, Any], query: Query) -> bool:
    # Some lists ignore some filters.
    return (
        (query.archived or not item.get("archived"))
        and (query.forks or not item.get("forked_from_project"))
        and (not query.topic or query.topic in (item.get("topics") or item.get("tag_list") or ()))
        and not item.get("marked_for_deletion_on")
    )


def _found(client: Client, item: Mapping[str, Any]) -> Discovered:
    slug = item["path_with_namespace"]
    repository = Repository(
        key=f"{client.settings.host}/{slug}",
        location=f"{client.settings.url}/{slug}.git",
        forge="gitlab",
        slug=slug,
        base=item.get("default_branch") or "",
    )
    if item.get("empty_repo") or not repository.base:
        return Discovered(repository=repository, answers={})
    try:
        return Discovered(repository=repository, answers=_answers(client, repository))
    except ForgeError as error:
        # A project that hides its files must not stop the others. Git will report the reason.
        if error.data.get("status") in (403, 404):
            return Discovered(repository=repository)
        raise


def _answers(client: Client, repository: Repository) -> Mapping[str, str] | None:
    """Return the texts of a project's answers files, or None if they must be read with git."""
    path = f"{project(repository.slug)}/repository"
    doing = f"read the answers files of {repository.slug}"
    names = []
    entries = client.pages(f"{path}/tree", doing=doing, ref=repository.base)
    for number, entry in enumerate(entries):
        if number >= _MOST_ENTRIES:
            return None
        if fnmatch.fnmatchcase(entry["name"], _ANSWERS):
            if entry["mode"] not in _REGULAR:
                return None
            names.append(entry["name"])
    if len(names) > _MOST_ANSWERS:
        return None
    texts = {}
    for name in sorted(names):
        content = client.text(f"{path}/files/{quote(name, safe='')}/raw", doing=doing, ref=repository.base)
        try:
            texts[name] = content.decode()
        except UnicodeDecodeError:
            # Let git decide whether the file is text.
            return None
        if len(content) > _MOST_BYTES:
            return None
    return texts
