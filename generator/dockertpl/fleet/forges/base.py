"""What every forge can do. A pull request is a *proposal* here, as GitLab calls it a merge request.

An implementation asks the forge before it writes, so that doing anything twice makes nothing twice; it keeps the rate
limits and waits as long as the forge says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from dockertpl.fleet.model import Discovered


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A pull request.

    Attributes:
        number: Its number in the repository.
        url: Its page.
        state: `open`, `merged`, or `closed` by a person who did not want it.
        draft: Whether it cannot be merged as it is.
        base: The branch that it is to be merged into.
        title: Its title.
        body: Its text, in Markdown.
    """

    number: int
    url: str
    state: Literal["open", "merged", "closed"]
    draft: bool
    base: str
    title: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An open issue.

    Attributes:
        number: Its number in the repository.
        url: Its page.
        title: Its title.
        body: Its text, in Markdown.
    """

    number: int
    url: str
    title: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which repositories are looked for.

    Attributes:
        owner: An organisation's, a user's or a group's name; subgroups of a group are in it.
        topic: Only those with this topic.
        search: A search in the forge's own words; then `owner` may be empty.
        archived: Whether archived ones are wanted too.
        forks: Whether forks are wanted too.
    """

    owner: str = ""
    topic: str = ""
    search: str = ""
    archived: bool = False
    forks: bool = False


class Forge(Protocol):
    """One forge, with one account."""

    def find(self, query: Query) -> Iterator[Discovered]:
        """Yield the repositories of a query with the texts of their answers files, in the order of their names.

        Raises:
            ForgeError: The forge refuses or cannot be reached.
        """
        ...

    def git_settings(self, slug: str) -> Mapping[str, str]:
        """Return settings of git (`http.<url>.extraHeader` and such) with which a repository is fetched and pushed."""
        ...

    def proposal(self, slug: str, branch: str) -> Proposal | None:
        """Return the newest pull request from a branch of a repository, open ones first; None if there never was one.

        Raises:
            ForgeError: The forge refuses or cannot be reached.
        """
        ...

    def propose(self, slug: str, *, branch: str, base: str, title: str, body: str, draft: bool) -> Proposal:
        """Open a pull request, or return the open one of that branch with this title and body.

        Raises:
            ForgeError: The forge refuses or cannot be reached.
        """
        ...

    def amend(self, slug: str, number: int, *, base: str, title: str, body: str) -> Proposal:
        """Give an open pull request another base, title and text.

        Raises:
            ForgeError: The forge refuses or cannot be reached.
        """
        ...

    def issue(self, slug: str, marker: str) -> Issue | None:
        """Return the open issue of this account whose text holds a marker.

        Raises:
            ForgeError: The forge refuses or cannot be reached.
        """
        ...

    def report(self, slug: str, marker: str, *, title: str, body: str) -> Issue:
        """Open an issue whose text holds a marker, or bring the open one up to date.

        Raises:
            ForgeError: The forge refuses or cannot be reached.
        """
        ...

    def close(self, slug: str, number: int, comment: str) -> None:
        """Close an issue with a comment.

        Raises:
            ForgeError: The forge refuses or cannot be reached.
        """
        ...
