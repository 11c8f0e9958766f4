"""A forge on a loopback port: Git over HTTP, and the parts of Gitea's API that Renovate uses."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
USER = {"id": 1, "login": "bot", "full_name": "Bot", "email": "bot@example.invalid"}
LABELS = [{"id": 1, "name": "dependencies"}, {"id": 2, "name": "dockertpl"}]
API = "/api/v1"


class Request(NamedTuple):
    """A call of the API."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Json


@dataclass
class Repository:
    """A bare repository, with the issues, pull requests and comments on it."""

    path: Path
    pulls: list[Json] = field(default_factory=list)
    issues: list[Json] = field(default_factory=list)
    statuses: dict[str, list[Json]] = field(default_factory=dict)

    def git(self, *arguments: str) -> str:
        """Run git and return its output."""
        done = subprocess.run(["git", *arguments], cwd=self.path, check=True, capture_output=True)
        return done.stdout.decode()

    def sha(self, name: str) -> str:
        """Return the commit of a branch or tag."""
        return self.git("rev-parse", "--verify", f"{name}^{{commit}}").strip()


@dataclass
class Forge:
    """The repositories below a folder, as OWNER/NAME.git."""

    root: Path
    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    #: The API calls, in order.
    seen: list[Request] = field(default_factory=list)

    def add(self, name: str, source: Path) -> Repository:
        """Make OWNER/NAME from a repository, with all its branches and tags."""
        path = self.root / f"{name}.git"
        subprocess.run(["git", "clone", "--quiet", "--mirror", str(source), str(path)], check=True)
        # By default, Git over HTTP refuses an anonymous push.
        subprocess.run(["git", "config", "http.receivepack", "true"], cwd=path, check=True)
        self.repositories[name] = Repository(path)
        return self.repositories[name]

    def created(self) -> list[str]:
        """Return the API calls that write, as METHOD PATH without numbers and commits."""
        number = re.compile(r"/([0-9a-f]{40}|\d+)(?=/|$)")
        return [f"{seen.method} {number.sub('/N', seen.path)}" for seen in self.seen if seen.method != "GET"]

    def answer(self, request: Request) -> tuple[int, object]:
        """Return the status and the body of the answer to a call."""
        self.seen.append(request)
        for pattern, respond in _ROUTES:
            if match := re.fullmatch(pattern, f"{request.method} {request.path}"):
                names = match.groupdict()
                repository = self.repositories.get(names.get("repository", ""))
                if "repository" in names and repository is None:
                    break
                return respond(self, repository or Repository(self.root), request, names)
        return HTTPStatus.NOT_FOUND, {"message": f"no {request.method} {request.path} here"}


def _now() -> str:
    return datetime.now(UTC).isoformat()


_Respond = Callable[[Forge, Repository, Request, dict[str, str]], tuple[int, object]]


def _describe(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    name = names["repository"]
    return HTTPStatus.OK, {
        "id": 1,
        "full_name": name,
        "owner": {"id": 2, "login": name.split("/")[0]},
        "clone_url": f"{forge.url}/{name}.git",
        "default_branch": repository.git("symbolic-ref", "--short", "HEAD").strip(),
        "permissions": {"admin": False, "pull": True, "push": True},
        "allow_merge_commits": True,
        "has_issues": True,
        "has_pull_requests": True,
    }


def _contents(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    path, ref = unquote(names["path"]), request.query.get("ref", ["HEAD"])[0]
    done = subprocess.run(["git", "cat-file", "blob", f"{ref}:{path}"], cwd=repository.path, capture_output=True)
    if done.returncode:
        return HTTPStatus.NOT_FOUND, {"message": "no such file"}
    content = base64.b64encode(done.stdout).decode()
    return HTTPStatus.OK, {"type": "file", "name": path.rpartition("/")[2], "path": path, "content": content}


def _pull(repository: Repository, pull: Json, name: str) -> Json:
    head = {"label": pull["head"], "sha": repository.sha(pull["head"]), "repo": {"full_name": name}}
    labels = [label for label in LABELS if label["id"] in pull.get("labels", [])]
    return {
        "number": pull["number"],
        "state": pull["state"],
        "title": pull["title"],
        "body": pull["body"],
        "base": {"ref": pull["base"]},
        "head": head,
        "labels": labels,
        "user": USER,
        "mergeable": True,
        "created_at": pull["created_at"],
        "updated_at": pull["created_at"],
    }


def _list_pulls(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    return HTTPStatus.OK, [_pull(repository, pull, names["repository"]) for pull in repository.pulls]


def _open_pull(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    number = len(repository.pulls) + 1
    repository.pulls.append({**request.body, "number": number, "state": "open", "created_at": _now()})
    return HTTPStatus.CREATED, _pull(repository, repository.pulls[-1], names["repository"])


def _one_pull(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    pull = repository.pulls[int(names["number"]) - 1]
    pull.update(request.body)
    return HTTPStatus.OK, _pull(repository, pull, names["repository"])


def _list_issues(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    return HTTPStatus.OK, repository.issues


def _open_issue(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    # Renovate's own number, which no pull request has.
    repository.issues.append({**request.body, "number": 1000 + len(repository.issues), "state": "open", "labels": []})
    return HTTPStatus.CREATED, repository.issues[-1]


def _one_issue(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    issue = next(issue for issue in repository.issues if issue["number"] == int(names["number"]))
    issue.update(request.body)
    return HTTPStatus.OK, issue


def _comments(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    comments = repository.pulls[int(names["number"]) - 1].setdefault("comments", [])
    if request.method == "GET":
        return HTTPStatus.OK, comments
    comments.append({"id": len(comments) + 1, **request.body})
    return HTTPStatus.CREATED, comments[-1]


def _list_statuses(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    return HTTPStatus.OK, repository.statuses.get(repository.sha(unquote(names["ref"])), [])


def _set_status(forge: Forge, repository: Repository, request: Request, names: dict[str, str]) -> tuple[int, object]:
    known = repository.statuses.setdefault(names["sha"], [])
    known.append({"id": len(known) + 1, "created_at": _now(), "status": request.body["state"], **request.body})
    return HTTPStatus.CREATED, known[-1]


def _fixed(body: object) -> _Respond:
    return lambda forge, repository, request, names: (HTTPStatus.OK, body)


_R = r"/repos/(?P<repository>[^/]+/[^/]+)"
_ROUTES: list[tuple[str, _Respond]] = [
    (r"GET /version", _fixed({"version": "1.24.0"})),
    (r"GET /user", _fixed(USER)),
    (rf"GET {_R}/labels", _fixed(LABELS)),
    (rf"GET {_R}", _describe),
    (rf"GET {_R}/contents/(?P<path>.+)", _contents),
    (rf"GET {_R}/pulls", _list_pulls),
    (rf"POST {_R}/pulls", _open_pull),
    (rf"(GET|PATCH) {_R}/pulls/(?P<number>\d+)", _one_pull),
    (rf"GET {_R}/issues", _list_issues),
    (rf"POST {_R}/issues", _open_issue),
    (rf"(GET|PATCH) {_R}/issues/(?P<number>\d+)", _one_issue),
    (rf"(GET|POST) {_R}/issues/(?P<number>\d+)/comments", _comments),
    (rf"GET {_R}/commits/(?P<ref>.+)/statuses", _list_statuses),
    (rf"POST {_R}/statuses/(?P<sha>[0-9a-f]+)", _set_status),
]


class _Handler(BaseHTTPRequestHandler):
    """The API below /api/v1. Git serves everything else."""

    forge: Forge

    def handle_any(self) -> None:
        """Answer a call."""
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not address.path.startswith(API):
            self._git(address.path, address.query, body)
            return
        request = Request(
            self.command, address.path.removeprefix(API), parse_qs(address.query), json.loads(body) if body else {}
        )
        status, answer = self.forge.answer(request)
        self._send(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815 - the names that http.server looks for

    def _git(self, path: str, query: str, body: bytes) -> None:
        special = {
            "GIT_PROJECT_ROOT": str(self.forge.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        command = ["git", "http-backend"]
        done = subprocess.run(command, input=body, env={**os.environ, **special}, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._send(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing."""


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Forge]:
    """Serve an empty forge with its repositories in a folder."""
    forge = Forge(root)
    handler = type("Handler", (_Handler,), {"forge": forge})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        forge.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()
