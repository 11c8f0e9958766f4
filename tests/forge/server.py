"""A small GitHub on loopback, with state: pull requests, issues, Git over HTTP, and faults on request.

If Prism is available, every REST request and answer passes through it.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.forge import account, description, githttp, graphql, prism

ME = "dockertpl-bot"
Json = dict[str, Any]
_NOW = "2026-01-01T00:00:00Z"


@dataclass
class Fault:
    """A fault of one request.

    Attributes:
        method: The method of the request.
        path: A pattern of the full path.
        status: The status of the answer; 0 ends the connection without an answer.
        headers: Its headers.
        message: The message of the answer.
        after: Whether the request takes effect first.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    after: bool = False


@dataclass
class GitHub:
    """The forge.

    Attributes:
        root: The folder of its bare repositories, as `org/app.git`.
        url: Its URL, once it is served.
        pulls: The pull requests of each repository.
        issues: The issues of each repository.
        comments: The comments of issues, by repository and number.
        faults: The pending faults, in order.
        log: Every request, including git's, as `METHOD path`.
        times: The time of each request, in seconds of a monotonic clock.
        tokens: The valid tokens of the API and of Git. If empty, everyone has access.
        about: The properties of repositories.
        people: The owners that are users, not organizations.
        app_key: The public key of the App as PEM; empty without an App.
        violations: The mismatches with GitHub's description that Prism found.
    """

    root: Path
    url: str = ""
    pulls: dict[str, list[Json]] = field(default_factory=dict)
    issues: dict[str, list[Json]] = field(default_factory=dict)
    comments: dict[str, list[Json]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    about: dict[str, graphql.About] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    app_key: str = ""
    violations: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, slug: str, source: Path) -> Path:
        """Add a repository, and return its folder."""
        path = self.root / f"{slug}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        return githttp.make_bare(source, path)

    def reset(self) -> None:
        """Reset everything but the URL."""
        shutil.rmtree(self.root)
        self.root.mkdir()
        self.app_key = ""
        for state in (self.pulls, self.issues, self.comments, self.about, self.tokens, self.people):
            state.clear()
        for lines in (self.faults, self.log, self.times, self.violations):
            lines.clear()

    def head(self, slug: str, branch: str) -> str:
        """Return the commit of a branch, or nothing if it does not exist."""
        return self._git(slug, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")

    def merge(self, slug: str, number: int) -> None:
        """Merge a pull request, as the merge button does."""
        pull = next(pull for pull in self.pulls[slug] if pull["number"] == number)
        head, base = (self.head(slug, pull[side]["ref"]) for side in ("head", "base"))
        tree = self._git(slug, "merge-tree", "--write-tree", base, head)
        made = self._git(slug, "commit-tree", tree, "-p", base, "-p", head, "-m", pull["title"])
        self._git(slug, "update-ref", f"refs/heads/{pull['base']['ref']}", made)
        pull |= {"state": "closed", "closed_at": _NOW, "merged_at": _NOW, "merged": True, "merge_commit_sha": made}

    def written(self) -> list[str]:
        """Return the API requests that write."""
        return [line for line in self.log if line.startswith(("POST /repos", "PATCH /repos"))]

    def fault(self, method: str, path: str) -> Fault | None:
        """Return and remove the fault for a request, if any."""
        with self._lock:
            self.log.append(f"{method} {path}")
            self.times.append(time.monotonic())
            for fault in self.faults:
                if fault.method == method and re.fullmatch(fault.path, path):
                    self.faults.remove(fault)
                    return fault
        return None

    def lets_in(self, authorization: str) -> bool:
        """Return whether a request has access. The API sends the token itself, and Git sends it as a password."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "basic":
            token = base64.b64decode(token).decode().partition(":")[2]
        return not self.tokens or token in self.tokens

    def answer(self, method: str, path: str, query: Mapping[str, str], content: Json) -> tuple[int, Any]:
        """Return the status and the content of the answer to a request."""
        with self._lock:
            if path == "/user":
                return 200, {**description.answer("/user", "get", 200), "login": ME}
            if (said := account.answer(self, method, path)) is not None:
                return said
            found = re.fullmatch(r"/repos/([^/]+/[^/]+)/(pulls|issues)(?:/(\d+)(/comments)?)?", path)
            if found is None or not (self.root / f"{found[1]}.git").is_dir():
                return 404, account.NOT_FOUND
            slug, kind, number, comments = found.groups()
            if comments:
                return self._comments(f"{slug}#{number}", method, content)
            if number:
                return self._one(slug, kind, int(number), method, content)
            return self._make(slug, kind, content) if method == "POST" else self._list(slug, kind, query)

    def _items(self, slug: str, kind: str) -> list[Json]:
        return (self.pulls if kind == "pulls" else self.issues).setdefault(slug, [])

    def _comments(self, where: str, method: str, content: Json) -> tuple[int, Any]:
        said = self.comments.setdefault(where, [])
        if method == "GET":
            return 200, said
        said.append({**description.example("/issues/{issue_number}/comments", "post", 201), **content})
        return 201, said[-1]

    def _one(self, slug: str, kind: str, number: int, method: str, content: Json) -> tuple[int, Any]:
        # A pull request is also an issue.
        kinds = ("pulls",) if kind == "pulls" else ("issues", "pulls")
        found = (item for each in kinds for item in self._items(slug, each) if item["number"] == number)
        item = next(found, None)
        if item is None:
            return 404, account.NOT_FOUND
        if method == "PATCH":
            item |= {key: value for key, value in content.items() if key in ("title", "body", "state")}
            item["closed_at"] = _NOW if item["state"] == "closed" else None
        return 200, self._seen(slug, kind, item)

    def _list(self, slug: str, kind: str, query: Mapping[str, str]) -> tuple[int, Any]:
        state, head = query.get("state", "open"), query.get("head", "")
        made_by, labels = query.get("creator", ""), {label for label in query.get("labels", "").split(",") if label}
        # GitHub's list of issues includes pull requests.
        kinds = ("pulls",) if kind == "pulls" else ("issues", "pulls")
        items = [self._seen(slug, kind, item, whole=False) for each in kinds for item in self._items(slug, each)]
        items = [item for item in items if state in ("all", item["state"])]
        if ":" in head:
            items = [item for item in items if f"{slug.split('/')[0]}:{item['head']['ref']}" == head]
        if kind == "issues":
            items = [item for item in items if made_by in ("", item["user"]["login"])]
            items = [item for item in items if labels <= {label["name"] for label in item["labels"]}]
        return 200, sorted(items, key=lambda item: int(item["number"]), reverse=query.get("direction") != "asc")

    def _seen(self, slug: str, kind: str, item: Json, *, whole: bool = True) -> Json:
        """Return the fields of an item. A pull request shows its current branches, in full or as in a list."""
        if "head" not in item:
            return item
        head, base = (self.head(slug, item[side]["ref"]) for side in ("head", "base"))
        if item["state"] == "open" and not (head and base):
            # GitHub closes a pull request without its branch.
            item |= {"state": "closed", "closed_at": _NOW}
        if item["state"] == "open":
            item["head"] |= {"sha": head}
            if whole:
                item["mergeable"] = self._merges(slug, base, head)
                item["mergeable_state"] = "clean" if item["mergeable"] else "dirty"
        if kind == "pulls":
            return item
        same = ("number", "html_url", "title", "body", "user", "state", "closed_at", "draft", "labels")
        # GitHub's own example of an issue is one of a pull request.
        made: Json = description.example("/issues", "post", 201)
        return made | {key: item[key] for key in same}

    def _merges(self, slug: str, base: str, head: str) -> bool:
        command = ["git", "merge-tree", "--write-tree", base, head]
        return subprocess.run(command, cwd=self.root / f"{slug}.git", capture_output=True, check=False).returncode == 0

    def _git(self, slug: str, *arguments: str) -> str:
        command = ["git", *arguments]
        folder = self.root / f"{slug}.git"
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()

    def _make(self, slug: str, kind: str, content: Json) -> tuple[int, Any]:
        items = self._items(slug, kind)
        number = len(self.pulls.get(slug, [])) + len(self.issues.get(slug, [])) + 1
        made = description.example(f"/{kind}", "post", 201)
        address = f"{self.url}/{slug}/{'pull' if kind == 'pulls' else 'issues'}/{number}"
        made |= {"number": number, "html_url": address, "state": "open", "title": content["title"]}
        made |= {"body": content.get("body"), "user": {**made["user"], "login": ME}}
        # GitHub's own example of an issue is one of a pull request.
        made.pop("pull_request", None)
        if kind == "issues":
            labels = content.get("labels", [])
            made |= {"labels": [{**made["labels"][0], "name": label} for label in labels], "closed_at": None}
        if kind == "pulls":
            head, base = (self.head(slug, content[side]) for side in ("head", "base"))
            for side, there in (("head", head), ("base", base)):
                if not there:
                    return 422, _invalid({"resource": "PullRequest", "field": side, "code": "invalid"})
            if self._git(slug, "rev-list", "--count", f"{base}..{head}") == "0":
                said = f"No commits between {content['base']} and {content['head']}"
                return 422, _invalid({"resource": "PullRequest", "code": "custom", "message": said})
            if any(item["state"] == "open" and item["head"]["ref"] == content["head"] for item in items):
                said = f"A pull request already exists for {slug.split('/')[0]}:{content['head']}."
                return 422, _invalid({"resource": "PullRequest", "code": "custom", "message": said})
            made["head"] |= {"ref": content["head"], "sha": head}
            made["base"] |= {"ref": content["base"]}
            # GitHub's own example lacks fields that its description requires of a team.
            made |= {"requested_teams": [], "requested_reviewers": [], "assignees": []}
            made |= {"draft": content.get("draft", False), "merged_at": None, "merged": False}
            made |= {"closed_at": None, "labels": []}
        items.append(made)
        return 201, self._seen(slug, kind, made)


def _invalid(error: Json) -> Json:
    return {"message": "Validation Failed", "errors": [error], "documentation_url": "https://docs.github.com"}


class _Api(BaseHTTPRequestHandler):
    """The API behind Prism."""

    protocol_version = "HTTP/1.1"
    github: GitHub

    def handle_any(self) -> None:
        address = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(address.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = json.loads(body) if body else {}
        status, answer = self.github.answer(self.command, address.path, query, content)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if isinstance(answer, list):
            page, size = int(query.get("page", "1")), min(int(query.get("per_page", "30")), 100)
            if len(answer) > page * size:
                following = urlencode({**query, "page": page + 1})
                headers["Link"] = f'<{self.github.url}{address.path}?{following}>; rel="next"'
            answer = answer[(page - 1) * size : page * size]
        _send(self, status, headers, json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing."""


class _Front(BaseHTTPRequestHandler):
    """The server for clients."""

    protocol_version = "HTTP/1.1"
    github: GitHub
    api: str

    def handle_any(self) -> None:
        address = urlsplit(self.path)
        body = self._body()
        fault = self.github.fault(self.command, address.path)
        if fault is None:
            _send(self, *self._answered(body))
            return
        if fault.after:
            self._answered(body)
        if fault.status:
            said = json.dumps({"message": fault.message, "documentation_url": "https://docs.github.com"})
            _send(self, fault.status, {"Content-Type": "application/json", **fault.headers}, said.encode())
            return
        # A reset, as from a dying proxy.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the names that http.server looks for

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            if len(body) < size:
                # A client that was killed during its request has asked for nothing.
                raise ConnectionResetError
            return body
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answered(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        address, git = urlsplit(self.path), ".git/" in self.path
        # An App signs requests about itself with its key, before it has a token.
        own = not git and account.is_app(address.path)
        authorization = self.headers.get("Authorization", "")
        if not (account.is_signed(self.github, authorization) if own else self.github.lets_in(authorization)):
            said = json.dumps({"message": "Bad credentials", "documentation_url": "https://docs.github.com"})
            return 401, {"Content-Type": "application/json", "WWW-Authenticate": 'Basic realm="GitHub"'}, said.encode()
        if not git:
            return self._asked(body)
        return githttp.backend(
            self.github.root,
            method=self.command,
            path=address.path,
            query=address.query,
            headers=dict(self.headers.items()),
            body=body,
        )

    def _asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.path == "/graphql":
            return 200, {"Content-Type": "application/json"}, json.dumps(self._queried(json.loads(body))).encode()
        connection = http.client.HTTPConnection(urlsplit(self.api).netloc, timeout=60)
        passed = ("Accept", "Content-Type", "X-GitHub-Api-Version", "Authorization", "User-Agent")
        headers = {key: value for key in passed if (value := self.headers.get(key))}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if prism.ERRORS in content:
            self.github.violations.append(f"{self.command} {self.path}: {content.decode()}")
        kept = {key: value for key in ("Content-Type", "Link") if (value := answer.headers.get(key))}
        return answer.status, kept, content

    def _queried(self, asked: Json) -> Json:
        hub = graphql.Hub(self.github.root, self.github.url, ME, self.github.about, self.github.people)
        answer = graphql.execute(hub, asked["query"], asked.get("variables") or {})
        # An error without a path is about the query, not about a missing object.
        if any(error["path"] is None for error in answer.get("errors", ())):
            self.github.violations.append(str(answer["errors"]))
        return answer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing."""


def _send(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    # A client that was killed meanwhile reads no answer.
    with suppress(BrokenPipeError, ConnectionResetError):
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # More than a few workers connect at once.
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing about a client that was killed."""


@contextmanager
def serving(root: Path, folder: Path, *, validated: bool = True) -> Iterator[GitHub]:
    """Serve an empty forge during a `with` block.

    Args:
        root: The folder of its repositories.
        folder: An empty folder for Prism.
        validated: Whether to use Prism. Without it, the forge is faster.
    """
    github = GitHub(root)
    with _running(type("Api", (_Api,), {"github": github})) as api:
        if not validated:
            with _running(type("Front", (_Front,), {"github": github, "api": api})) as url:
                github.url = url
                yield github
            return
        with (
            prism.proxy(api, folder) as checked,
            _running(type("Front", (_Front,), {"github": github, "api": checked})) as url,
        ):
            github.url = url
            yield github


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
