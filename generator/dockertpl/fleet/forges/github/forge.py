"""The forge interface for GitHub: repositories, pull requests and issues."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Issue, Proposal, Query
from dockertpl.fleet.forges.github import discovery
from dockertpl.fleet.forges.github.client import Client
from dockertpl.fleet.forges.github.requests import Sender
from dockertpl.fleet.forges.github.settings import Settings
from dockertpl.fleet.forges.github.tokens import AppTokens, OneToken, Tokens
from dockertpl.fleet.forges.timing import REAL_TIME, Timing
from dockertpl.fleet.model import Discovered

_PULLS = "`pull-requests: write` (a classic token: the scope `repo`)"
_ISSUES = "`issues: write` (a classic token: the scope `repo`)"
# GitHub's limits for a text and a title, in characters.
_MOST_TEXT = 65536
_MOST_TITLE = 256
_CUT = "\n\n(The text is cut off here: it is too long for GitHub.)\n"
_TO_DRAFT = "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"


class GitHub:
    """GitHub with one account. See `forges.base.Forge` for its methods. Threads may share it."""

    def __init__(
        self,
        settings: Settings,
        *,
        timing: Timing = REAL_TIME,
    ) -> None:
        """Store the settings. Nothing is requested yet.

        Args:
            settings: The GitHub server and account.
            timing: The clock, and how many runs share the account's limits.

        Raises:
            ForgeError: The App's private key is not valid.
        """
        self.settings = settings

        def sender() -> Sender:
            return Sender(settings, timing=timing)

        # GitHub counts an App's requests for tokens separately, so they have their own sender. With a shared one, a
        # request that holds a slot could wait forever for a slot to renew its token.
        tokens: Tokens = AppTokens(settings, sender()) if settings.app else OneToken(settings.token)
        self._client = Client(sender(), tokens)

    def find(self, query: Query) -> Iterator[Discovered]:
        """Yield the repositories of a query with the texts of their answers files, in the order of their names."""
        return discovery.find(self._client, query)

    def git_settings(self, slug: str) -> Mapping[str, str]:
        """Return the git settings to fetch and push a repository. They hold the token."""
        token = self._client.tokens.token(_owner(slug))
        word = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        return {f"http.{self.settings.web}/.extraHeader": f"Authorization: basic {word}"}

    def proposal(self, slug: str, branch: str) -> Proposal | None:
        """Return the newest pull request of a branch, preferably an open one, or None."""
        items = sorted(self._pulls(slug, branch, "all"), key=lambda item: (item["state"] == "open", item["number"]))
        return _proposal(items[-1]) if items else None

    def propose(self, slug: str, *, branch: str, base: str, title: str, body: str, draft: bool) -> Proposal:
        """Open a pull request, or update the open one of that branch.

        `draft` turns an open one into a draft. Without it, a draft stays a draft: a user may have wanted it.
        """
        content = {"title": title[:_MOST_TITLE], "body": _fitted(body), "base": base}
        item = self._client.make(
            slug,
            "/pulls",
            {**content, "head": branch, "draft": draft},
            find=lambda: next(iter(self._pulls(slug, branch, "open")), None),
            doing=f"open a pull request in {slug}",
            wanted=_PULLS,
        )
        item = self._changed(slug, item, content)
        return _proposal(self._drafted(slug, item) if draft and not item.get("draft") else item)

    def amend(self, slug: str, number: int, *, base: str, title: str, body: str) -> Proposal:
        """Change the base, title and text of an open pull request, if they differ."""
        item = self._client.get(slug, f"/pulls/{number}", doing=f"read pull request {number} of {slug}", wanted=_PULLS)
        return _proposal(self._changed(slug, item, {"title": title[:_MOST_TITLE], "body": _fitted(body), "base": base}))

    def issue(self, slug: str, marker: str) -> Issue | None:
        """Return this account's oldest open issue with a marker in its text, or None."""
        item = self._marked(slug, marker)
        return _issue(item) if item else None

    def report(self, slug: str, marker: str, *, title: str, body: str) -> Issue:
        """Open an issue with a marker in its text, or update the open one."""
        content = {"title": title[:_MOST_TITLE], "body": _fitted(body, marker)}
        item = self._client.make(
            slug,
            "/issues",
            content,
            find=lambda: self._marked(slug, marker),
            doing=f"open an issue in {slug}",
            wanted=_ISSUES,
        )
        if _differs(item, content):
            doing = f"change issue {item['number']} of {slug}"
            item = self._client.change(slug, f"/issues/{item['number']}", content, doing=doing, wanted=_ISSUES)
        return _issue(item)

    def close(self, slug: str, number: int, comment: str) -> None:
        """Close an issue with a comment, if it is open."""
        doing = f"close issue {number} of {slug}"
        path = f"/issues/{number}"
        if self._client.get(slug, path, doing=doing, wanted=_ISSUES).get("state") == "closed":
            return
        body = _fitted(comment)

        def find() -> dict[str, Any] | None:
            comments = self._client.pages(slug, f"{path}/comments", doing=doing, wanted=_ISSUES)
            return next((item for item in comments if _plain(item.get("body")) == _plain(body)), None)

        self._client.make(slug, f"{path}/comments", {"body": body}, find=find, doing=doing, wanted=_ISSUES)
        self._client.change(slug, path, {"state": "closed"}, doing=doing, wanted=_ISSUES)

    def _pulls(self, slug: str, branch: str, state: Literal["open", "all"]) -> list[dict[str, Any]]:
        items = self._client.pages(
            slug,
            "/pulls",
            doing=f"list the pull requests of {slug}",
            wanted=_PULLS,
            state=state,
            head=f"{_owner(slug)}:{branch}",
        )
        # A fork of the same owner may have the branch, too. A moved repository's answer is not filtered at all.
        return [item for item in items if _is_from(item, branch)]

    def _drafted(self, slug: str, item: dict[str, Any]) -> dict[str, Any]:
        doing = f"make pull request {item['number']} of {slug} a draft"
        wanted = f"{_PULLS} and `contents: write`"
        try:
            self._client.query(
                _owner(slug), _TO_DRAFT, {"id": item["node_id"]}, doing=doing, wanted=wanted, mutation=True
            )
        except ForgeError:
            # GitHub refused, or the answer of an earlier try got lost.
            if not self._client.get(slug, f"/pulls/{item['number']}", doing=doing, wanted=wanted).get("draft"):
                raise
        return {**item, "draft": True}

    def _changed(self, slug: str, item: dict[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        if not _differs(item, content):
            return item
        doing = f"change pull request {item['number']} of {slug}"
        return self._client.change(slug, f"/pulls/{item['number']}", content, doing=doing, wanted=_PULLS)

    def _marked(self, slug: str, marker: str) -> dict[str, Any] | None:
        login = self._client.login(_owner(slug))
        items = self._client.pages(
            slug,
            "/issues",
            doing=f"list the issues of {slug}",
            wanted=_ISSUES,
            state="open",
            creator=login,
            sort="created",
            direction="asc",
        )
        for item in items:
            # Anyone can write a marker. GitHub's list includes pull requests.
            ours = (item.get("user") or {}).get("login") == login and "pull_request" not in item
            if ours and marker in (item.get("body") or ""):
                return item
        return None


def _owner(slug: str) -> str:
    return slug.partition("/")[0]


def _is_from(item: Mapping[str, Any], branch: str) -> bool:
    head, base = item["head"], item["base"]
    source = (head.get("repo") or {}).get("id")
    return head["ref"] == branch and source is not None and source == base["repo"]["id"]


def _differs(item: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    now = {"title": item["title"], "body": item.get("body"), "base": (item.get("base") or {}).get("ref")}
    return any(_plain(now[name]) != _plain(wanted) for name, wanted in content.items())


def _plain(text: str | None) -> str:
    """Normalize a text for comparison: line endings, surrounding space, and None for an empty text."""
    return (text or "").replace("\r\n", "\n").strip()


def _fitted(text: str, marker: str = "") -> str:
    """Cut a text to GitHub's limit, and keep the marker."""
    if len(text) > _MOST_TEXT:
        text = text[: _MOST_TEXT - len(_CUT) - len(marker) - 1].rpartition("\n")[0] + _CUT
    return text if marker in text else f"{text.rstrip()}\n{marker}"


def _proposal(item: Mapping[str, Any]) -> Proposal:
    return Proposal(
        number=int(item["number"]),
        url=str(item["html_url"]),
        state="open" if item["state"] == "open" else "merged" if item.get("merged_at") else "closed",
        draft=bool(item.get("draft")),
        base=str(item["base"]["ref"]),
        title=str(item["title"]),
        body=str(item.get("body") or ""),
    )


def _issue(item: Mapping[str, Any]) -> Issue:
    return Issue(
        number=int(item["number"]),
        url=str(item["html_url"]),
        title=str(item["title"]),
        body=str(item.get("body") or ""),
    )
