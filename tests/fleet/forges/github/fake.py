"""A fake GitHub that replaces the network with dictionaries. PyGithub above it is real.

A test compares the stand-in of `tests/forge` with GitHub's own description. This fake is for faults that no honest
server produces on demand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

ME = "fleet-bot"

Fault = Callable[["Seen", Callable[[], requests.Response]], requests.Response]


class Seen(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    content: Any
    authorization: str


def answer(status: int, content: Any, headers: dict[str, str] | None = None) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(content).encode()
    response.headers.update({"Content-Type": "application/json", **(headers or {})})
    response.encoding = "utf-8"
    return response


def says(status: int, message: str, **headers: str) -> Fault:
    """An answer instead of GitHub's. The request has no effect. Names of headers have `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda seen, do: answer(status, {"message": message}, named)


def drops(*, after: bool) -> Fault:
    """The connection ends, before or after the request takes effect."""

    def fault(seen: Seen, do: Callable[[], requests.Response]) -> requests.Response:
        if after:
            do()
        raise requests.ConnectionError("Remote end closed connection without response")

    return fault


def done_but(status: int) -> Fault:
    """The request takes effect, but the answer belongs to another request."""

    def fault(seen: Seen, do: Callable[[], requests.Response]) -> requests.Response:
        do()
        return answer(status, {"message": "Server Error"})

    return fault


class FakeGitHub:
    """Repositories with pull requests and issues."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.faults: list[tuple[str, str, Fault]] = []
        self.pulls: dict[str, list[dict[str, Any]]] = {}
        self.issues: dict[str, list[dict[str, Any]]] = {}
        self.comments: dict[str, list[dict[str, Any]]] = {}
        self.repositories: list[dict[str, Any]] = []
        self.texts: dict[str, dict[str, Any]] = {}
        self.installations: dict[str, int] = {}
        self.tokens_made = 0
        self.token_ends = "2099-01-01T00:00:00Z"
        self.biggest_query = 100

    # --- set up by a test --------------------------------------------------------------------------------------------

    def fails(self, method: str, path: str, *faults: Fault) -> None:
        """Give one fault to each of the next requests of that kind."""
        self.faults += [(method, path, fault) for fault in faults]

    def add(self, slug: str, files: dict[str, Any] | None = None, **fields: Any) -> None:
        """Add a repository with answers files by name."""
        entries = [{"name": name, "mode": 0o100644} for name in ["README.md", *(files or {})]]
        self.texts[slug] = files or {}
        self.repositories.append(
            {
                "nameWithOwner": slug,
                "url": f"https://github.com/{slug}",
                "isArchived": False,
                "isFork": False,
                "defaultBranchRef": {"name": "main"},
                "object": {"entries": entries},
                "repositoryTopics": {"nodes": []},
                **fields,
            }
        )

    def count(self, method: str, path: str) -> int:
        """Return how many requests of a kind were seen."""
        return len([seen for seen in self.seen if seen.method == method and re.fullmatch(path, seen.path)])

    # --- the network -------------------------------------------------------------------------------------------------

    def send(self, adapter: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        body = request.body
        content = json.loads(body) if isinstance(body, str | bytes) else None
        seen = Seen(
            str(request.method),
            parts.path,
            dict(parse_qsl(parts.query)),
            content,
            str(request.headers.get("Authorization", "")),
        )
        self.seen.append(seen)
        fault = next(
            (entry for entry in self.faults if entry[0] == seen.method and re.fullmatch(entry[1], seen.path)), None
        )
        if fault is not None:
            self.faults.remove(fault)
            response = fault[2](seen, lambda: self._do(seen))
        else:
            response = self._do(seen)
        response.request, response.url = request, str(request.url)
        return response

    def _do(self, seen: Seen) -> requests.Response:
        if seen.path == "/graphql":
            return self._graphql(seen.content["query"], seen.content["variables"])
        if found := re.fullmatch(r"/repos/([^/]+/[^/]+)/(pulls|issues)(?:/(\d+)(/comments)?)?", seen.path):
            return self._items(seen, *found.groups())
        if found := re.fullmatch(r"/(orgs|users)/([^/]+)/installation", seen.path):
            number = self.installations.get(f"{found[1]}/{found[2]}")
            return answer(200, {"id": number}) if number else answer(404, {"message": "Not Found"})
        if seen.path == "/app/installations":
            return answer(200, [{"id": number} for number in self.installations.values()])
        if re.fullmatch(r"/app/installations/\d+/access_tokens", seen.path):
            self.tokens_made += 1
            return answer(201, {"token": f"made-{self.tokens_made}", "expires_at": self.token_ends})
        return answer(404, {"message": "Not Found"})

    def _items(self, seen: Seen, slug: str, kind: str, number: str | None, comments: str | None) -> requests.Response:
        items = (self.pulls if kind == "pulls" else self.issues).setdefault(slug, [])
        if comments:
            said = self.comments.setdefault(f"{slug}#{number}", [])
            if seen.method == "POST":
                said.append({"id": len(said) + 1, **seen.content})
                return answer(201, said[-1])
            return answer(200, said)
        if number:
            item = next(item for item in items if item["number"] == int(number))
            if seen.method == "PATCH":
                change = dict(seen.content)
                if "base" in change:
                    change["base"] = {**item["base"], "ref": change["base"]}
                item.update(change)
            return answer(200, item)
        if seen.method == "POST":
            return self._make(slug, kind, items, seen.content)
        state = seen.query.get("state", "open")
        chosen = [item for item in items if state == "all" or item["state"] == state]
        if head := seen.query.get("head"):
            chosen = [item for item in chosen if f"{slug.split('/')[0]}:{item['head']['ref']}" == head]
        start = (int(seen.query.get("page", "1")) - 1) * 100
        return answer(200, chosen[start : start + 100])

    def _make(self, slug: str, kind: str, items: list[dict[str, Any]], content: dict[str, Any]) -> requests.Response:
        number = len(items) + 1
        made = {"number": number, "html_url": f"https://github.com/{slug}/{kind}/{number}", "state": "open", **content}
        if kind == "pulls":
            if any(item["state"] == "open" and item["head"]["ref"] == content["head"] for item in items):
                said = {"message": f"A pull request already exists for x:{content['head']}.", "code": "custom"}
                return answer(422, {"message": "Validation Failed", "errors": [said]})
            made |= {"head": {"ref": content["head"], "repo": {"id": 1}}, "merged_at": None, "node_id": f"PR_{number}"}
            made["base"] = {"ref": content["base"], "repo": {"id": 1}}
        else:
            made["user"] = {"login": ME}
        items.append(made)
        return answer(201, made)

    def _graphql(self, query: str, variables: dict[str, Any]) -> requests.Response:
        if "viewer" in query:
            return answer(200, {"data": {"viewer": {"login": ME}}})
        if "convertPullRequestToDraft" in query:
            for pull in [pull for pulls in self.pulls.values() for pull in pulls]:
                if pull["node_id"] == variables["id"]:
                    pull["draft"] = True
            return answer(200, {"data": {"convertPullRequestToDraft": {"pullRequest": {"isDraft": True}}}})
        if "size" in variables:
            return self._list(variables)
        if variables and len([name for name in variables if name.startswith("o")]) > self.biggest_query:
            return answer(502, {"message": "Bad Gateway"})
        data: dict[str, Any] = {}
        errors = []
        for name in [name for name in variables if name.startswith("o")]:
            number = name[1:]
            slug = f"{variables[name]}/{variables[f'n{number}']}"
            if slug not in self.texts:
                data[f"r{number}"] = None
                errors.append({"type": "NOT_FOUND", "path": [f"r{number}"], "message": f"No {slug}."})
                continue
            data[f"r{number}"] = {
                f"f{key.partition('_')[2]}": self._blob(slug, variables[key].removeprefix("HEAD:"))
                for key in variables
                if key.startswith(f"e{number}_")
            }
        return answer(200, {"data": data, **({"errors": errors} if errors else {})})

    def _blob(self, slug: str, name: str) -> dict[str, Any] | None:
        text = self.texts[slug].get(name)
        return text if isinstance(text, dict) else {"text": text, "isTruncated": False}

    def _list(self, variables: dict[str, Any]) -> requests.Response:
        if variables["size"] > self.biggest_query:
            return answer(502, {"message": "Bad Gateway"})
        found = self.repositories
        if owner := variables.get("owner"):
            found = [item for item in found if item["nameWithOwner"].startswith(f"{owner}/")]
            if not found:
                return answer(200, {"data": {"repositoryOwner": None}})
        start = int(variables["after"] or 0)
        end = start + variables["size"]
        page = {
            "nodes": found[start:end],
            "pageInfo": {"hasNextPage": end < len(found), "endCursor": str(end)},
            "repositoryCount": len(found),
        }
        data = {"repositoryOwner": {"repositories": page}} if owner else {"search": page}
        return answer(200, {"data": data})


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    """A fake GitHub that replaces the network."""
    there = FakeGitHub()
    monkeypatch.setattr(HTTPAdapter, "send", lambda adapter, request, **rest: there.send(adapter, request, **rest))
    return there
