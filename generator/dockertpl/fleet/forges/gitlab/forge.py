"""The forge interface for GitLab: projects, merge requests and issues."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from dockertpl.fleet.forges.base import Issue, Proposal, Query
from dockertpl.fleet.forges.gitlab import discovery
from dockertpl.fleet.forges.gitlab.client import Client, project
from dockertpl.fleet.forges.gitlab.settings import Settings
from dockertpl.fleet.forges.timing import REAL_TIME, Timing
from dockertpl.fleet.model import Discovered

# GitLab's limits for a text and a title, in characters.
_MOST_TEXT = 1_000_000
_MOST_TITLE = 255
_CUT = "\n\n(The text is cut off here: it is too long for GitLab.)\n"
_DRAFT = "Draft: "
_IS_DRAFT = re.compile(r"\A(?:draft:|\[draft\]|\(draft\))\s*", re.IGNORECASE)
# GitLab runs lines such as `/close` or `/assign @me` as commands.
_COMMAND = re.compile(r"^(?=/[a-z])", re.MULTILINE | re.IGNORECASE)


class GitLab:
    """GitLab with one account. See `forges.base.Forge` for its methods. Threads may share it."""

    def __init__(
        self,
        settings: Settings,
        *,
        timing: Timing = REAL_TIME,
    ) -> None:
        """Store the settings. Nothing is requested yet.

        Args:
            settings: The GitLab server and account.
            timing: The clock, and how many runs share the account's limits.
        """
        self.settings = settings
        self._client = Client(settings, timing=timing)

    def find(self, query: Query) -> Iterator[Discovered]:
        """Yield the repositories of a query with the texts of their answers files, in the order of their names."""
        return discovery.find(self._client, query)

    def git_settings(self, slug: str) -> Mapping[str, str]:
        """Return the git settings to fetch and push a repository. They hold the token."""
        user = "gitlab-ci-token" if self.settings.is_job else "oauth2"
        word = base64.b64encode(f"{user}:{self.settings.token}".encode()).decode()
        return {f"http.{self.settings.url}/.extraHeader": f"Authorization: basic {word}"}

    def proposal(self, slug: str, branch: str) -> Proposal | None:
        """Return the newest merge request of a branch, preferably an open one, or None."""
        items = sorted(self._requests(slug, branch, "all"), key=lambda item: (_is_open(item), item["iid"]))
        return _proposal(items[-1]) if items else None

    def propose(self, slug: str, *, branch: str, base: str, title: str, body: str, draft: bool) -> Proposal:
        """Open a merge request, or update the open one of that branch.

        `draft` turns an open one into a draft. Without it, a draft stays a draft: a user may have wanted it.
        """
        content = {"title": _titled(title, draft), "description": _fitted(body), "target_branch": base}
        item = self._client.make(
            f"{project(slug)}/merge_requests",
            {**content, "source_branch": branch},
            find=lambda: next(iter(self._requests(slug, branch, "opened")), None),
            doing=f"open a merge request in {slug}",
        )
        content["title"] = _titled(title, draft or _is_draft(item))
        return _proposal(self._changed(slug, item, content))

    def amend(self, slug: str, number: int, *, base: str, title: str, body: str) -> Proposal:
        """Change the target branch, title and text of an open merge request, if they differ."""
        doing = f"read merge request {number} of {slug}"
        item = self._client.get(f"{project(slug)}/merge_requests/{number}", doing=doing)
        content = {"title": _titled(title, _is_draft(item)), "description": _fitted(body), "target_branch": base}
        return _proposal(self._changed(slug, item, content))

    def issue(self, slug: str, marker: str) -> Issue | None:
        """Return this account's oldest open issue with a marker in its text, or None."""
        item = self._marked(slug, marker)
        return _issue(item) if item else None

    def report(self, slug: str, marker: str, *, title: str, body: str) -> Issue:
        """Open an issue with a marker in its text, or update the open one."""
        content = {"title": title[:_MOST_TITLE], "description": _fitted(body, marker)}
        path = f"{project(slug)}/issues"
        doing = f"open an issue in {slug}"
        item = self._client.make(path, content, find=lambda: self._marked(slug, marker), doing=doing)
        if _differs(item, content):
            doing = f"change issue {item['iid']} of {slug}"
            item = self._client.change(f"{path}/{item['iid']}", content, doing=doing)
        return _issue(item)

    def close(self, slug: str, number: int, comment: str) -> None:
        """Close an issue with a comment, if it is open."""
        doing = f"close issue {number} of {slug}"
        path = f"{project(slug)}/issues/{number}"
        if self._client.get(path, doing=doing).get("state") == "closed":
            return
        body = _fitted(comment)

        def find() -> dict[str, Any] | None:
            notes = self._client.pages(f"{path}/notes", doing=doing)
            return next((note for note in notes if _plain(note.get("body")) == _plain(body)), None)

        self._client.make(f"{path}/notes", {"body": body}, find=find, doing=doing)
        self._client.change(path, {"state_event": "close"}, doing=doing)

    def _requests(self, slug: str, branch: str, state: Literal["opened", "all"]) -> list[dict[str, Any]]:
        items = self._client.pages(
            f"{project(slug)}/merge_requests",
            doing=f"list the merge requests of {slug}",
            state=state,
            source_branch=branch,
            scope="all",
        )
        # A fork may have a branch of that name too.
        return [
            item
            for item in items
            if item["source_branch"] == branch and item["source_project_id"] == item["target_project_id"]
        ]

    def _changed(self, slug: str, item: dict[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        if not _differs(item, content):
            return item
        number = item["iid"]
        doing = f"change merge request {number} of {slug}"
        return self._client.change(f"{project(slug)}/merge_requests/{number}", content, doing=doing)

    def _marked(self, slug: str, marker: str) -> dict[str, Any] | None:
        me = self._client.me()
        items = self._client.pages(
            f"{project(slug)}/issues",
            doing=f"list the issues of {slug}",
            state="opened",
            author_id=me,
            scope="all",
            order_by="created_at",
            sort="asc",
        )
        for item in items:
            # Anyone can write a marker.
            if (item.get("author") or {}).get("id") == me and marker in (item.get("description") or ""):
                return item
        return None


def _is_open(item: Mapping[str, Any]) -> bool:
    # A `locked` merge request is being merged.
    return item["state"] in ("opened", "locked")


def _is_draft(item: Mapping[str, Any]) -> bool:
    return bool(item.get("draft") or _IS_DRAFT.match(item["title"]))


def _titled(title: str, draft: bool) -> str:
    return f"{_DRAFT if draft else ''}{title}"[:_MOST_TITLE]


def _proposal(item: Mapping[str, Any]) -> Proposal:
    closed: Literal["merged", "closed"] = "merged" if item["state"] == "merged" else "closed"
    return Proposal(
        number=item["iid"],
        url=item["web_url"],
        state="open" if _is_open(item) else closed,
        draft=_is_draft(item),
        base=item["target_branch"],
        title=_IS_DRAFT.sub("", item["title"]),
        body=item.get("description") or "",
    )


def _issue(item: Mapping[str, Any]) -> Issue:
    return Issue(number=item["iid"], url=item["web_url"], title=item["title"], body=item.get("description") or "")


def _differs(item: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    return any(_plain(item.get(name)) != _plain(wanted) for name, wanted in content.items())


def _plain(text: str | None) -> str:
    """Normalize a text for comparison: line endings, surrounding space, and None for an empty text."""
    return (text or "").replace("\r\n", "\n").strip()


def _fitted(text: str, marker: str = "") -> str:
    """Cut a text to GitLab's limit, escape its commands, and keep the marker."""
    text = _COMMAND.sub(r"\\", text)
    if len(text) > _MOST_TEXT:
        text = text[: _MOST_TEXT - len(_CUT) - len(marker) - 1].rpartition("\n")[0] + _CUT
    return text if marker in text else f"{text.rstrip()}\n{marker}"
