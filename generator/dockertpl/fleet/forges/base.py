"""The interface of a forge, which is GitHub or GitLab. A *proposal* is a pull request or a merge request.

An implementation reads before it writes, so repeating a call changes nothing. It obeys the rate limits.
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
        state: `open`, `merged`, or `closed` without merging.
        draft: Whether it is a draft.
        base: The target branch.
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
    """A search for repositories.

    Attributes:
        owner: An organization, user or group. Subgroups are included.
        topic: Only repositories with this topic.
        search: A search in GitHub's or GitLab's syntax. Then `owner` may be empty.
        archived: Whether to include archived repositories.
        forks: Whether to include forks.
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
            ForgeError: GitHub or GitLab refuses or cannot be reached.
        """
        ...

    def git_settings(self, slug: str) -> Mapping[str, str]:
        """Return the git settings to fetch and push a repository, such as `http.<url>.extraHeader`."""
        ...

    def proposal(self, slug: str, branch: str) -> Proposal | None:
        """Return the newest pull request of a branch, preferably an open one, or None.

        Raises:
            ForgeError: GitHub or GitLab refuses or cannot be reached.
        """
        ...

    def propose(self, slug: str, *, branch: str, base: str, title: str, body: str, draft: bool) -> Proposal:
        """Open a pull request, or return the open one of that branch with this title and body.

        Raises:
            ForgeError: GitHub or GitLab refuses or cannot be reached.
        """
        ...

    def amend(self, slug: str, number: int, *, base: str, title: str, body: str) -> Proposal:
        """Change the base, title and text of an open pull request.

        Raises:
            ForgeError: GitHub or GitLab refuses or cannot be reached.
        """
        ...

    def issue(self, slug: str, marker: str) -> Issue | None:
        """Return this account's open issue with a marker in its text, or None.

        Raises:
            ForgeError: GitHub or GitLab refuses or cannot be reached.
        """
        ...

    def report(self, slug: str, marker: str, *, title: str, body: str) -> Issue:
        """Open an issue with a marker in its text, or update the open one.

        Raises:
            ForgeError: GitHub or GitLab refuses or cannot be reached.
        """
        ...

    def close(self, slug: str, number: int, comment: str) -> None:
        """Close an issue with a comment.

        Raises:
            ForgeError: GitHub or GitLab refuses or cannot be reached.
        """
        ...
