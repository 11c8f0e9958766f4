"""Parse the places of a fleet, and find their repositories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from dockertpl.errors import BadInputError
from dockertpl.fleet.assess import same_place
from dockertpl.fleet.discover import folders, listfile
from dockertpl.fleet.forges.base import Query
from dockertpl.fleet.forges.connect import Forges
from dockertpl.fleet.model import Discovered, ForgeName, Repository
from dockertpl.template.source import is_remote

_AT_FORGE = re.compile(r"\A(github|gitlab):(?!//)([^?]*)(?:\?(.*))?\Z")
_REMEDY = (
    "Name a folder, a URL, a file with one place on each line, github:OWNER, github:OWNER?topic=T, "
    "github:?search=WORDS, or gitlab:GROUP."
)
_KEYS = {"topic", "search", "archived", "forks"}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Include and exclude patterns for repositories.

    Attributes:
        include: A repository's key must match one of these. Empty means all.
        exclude: A repository's key must match none of these.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def wanted(self, key: str) -> bool:
        """Return whether a repository's key matches. A pattern without a slash is for the key's last part."""
        return (not self.include or _matches(key, self.include)) and not _matches(key, self.exclude)


def find(places: Iterable[str], *, filters: Filters, base: str, forges: Forges) -> Iterator[Discovered]:
    """Yield the repositories of a fleet, each once, in the order of their keys within a place.

    Args:
        places: The places from the command line.
        filters: The patterns.
        base: The branch that updates start from. Empty for the checked-out branch, or the default branch.
        forges: The connections to GitHub and GitLab.

    Raises:
        BadInputError: A place is not valid.
        ForgeError: GitHub or GitLab refuses or cannot be reached.
    """
    seen = set()
    for place in places:
        for found in _at(place, forges):
            repository = found.repository
            same = same_place(repository.location)
            if repository.forge:
                # GitHub and GitLab ignore case.
                same = same.lower()
            if same in seen or not filters.wanted(repository.key):
                continue
            seen.add(same)
            if base and base != repository.base:
                # The API's answers files are from another branch.
                found = replace(found, repository=replace(repository, base=base), answers=None)
            yield found


def _at(place: str, forges: Forges) -> Iterator[Discovered]:
    if match := _AT_FORGE.match(place):
        name: ForgeName = "github" if match[1] == "github" else "gitlab"
        query = _query(place, match[2], match[3] or "")
        yield from forges.connect(name).find(query)
    elif is_remote(place):
        yield Discovered(repository=at_url(place, forges))
    elif (path := Path(place)).is_dir():
        yield from (Discovered(repository=repository) for repository in folders.find(path))
    elif path.is_file():
        for line in listfile.read(path):
            if not (is_remote(line) or _AT_FORGE.match(line) or Path(line).is_dir()):
                raise BadInputError(f"{path} lists {line!r}, which is not a place with repositories.", _REMEDY)
            yield from _at(line, forges)
    else:
        raise BadInputError(f"{place!r} is not a place with repositories.", _REMEDY)


def at_url(url: str, forges: Forges) -> Repository:
    """Return the repository at a URL, with its GitHub or GitLab.

    Treat `file://` as a folder on this machine: a push would run that repository's hooks here.
    """
    key = same_place(url)
    if url.startswith("file://"):
        return Repository(key=key, location=unquote(urlsplit(url).path))
    host, _, slug = key.partition("/")
    forge = forges.at(host)
    return Repository(key=key, location=url, forge=forge, slug=slug if forge else "")


def _query(place: str, owner: str, text: str) -> Query:
    values = {key: value[-1] for key, value in parse_qs(text, keep_blank_values=True).items()}
    if unknown := values.keys() - _KEYS:
        raise BadInputError(f"{place!r} has an unknown filter: {', '.join(sorted(unknown))}.", _REMEDY)
    if not owner and not values.get("search") and not values.get("topic"):
        raise BadInputError(f"{place!r} names no owner, topic or search.", _REMEDY)
    return Query(
        owner=owner.strip("/"),
        topic=values.get("topic", ""),
        search=values.get("search", ""),
        archived="archived" in values,
        forks="forks" in values,
    )


def _matches(key: str, patterns: Iterable[str]) -> bool:
    last = key.rsplit("/", 1)[-1]
    return any(fnmatchcase(key if "/" in pattern else last, pattern) for pattern in patterns)
