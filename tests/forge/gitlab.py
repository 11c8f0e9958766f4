"""A small GitLab on loopback, in memory: projects with files, merge requests, issues, notes, and faults.

It follows https://docs.gitlab.com/api/, and has only the endpoints that a fleet uses.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

TOKEN = "glpat-of-the-tests"
ME = 7
Item = dict[str, Any]


@dataclass(kw_only=True)
class Project:
    """A project.

    Attributes:
        id: Its ID.
        files: The files at its root: texts, or pairs of a mode and a text.
        branches: Its branches.
        fields: Its fields in a list of projects.
    """

    id: int
    files: dict[str, bytes | tuple[str, bytes]]
    branches: set[str]
    fields: Item
    requests: list[Item] = field(default_factory=list)
    issues: list[Item] = field(default_factory=list)
    notes: dict[int, list[Item]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Fault:
    """A fault of one request.

    Attributes:
        method: The method of the request.
        path: A pattern of the path.
        status: The status of the answer; 0 ends the connection.
        headers: The headers of the answer.
        when: `before`: the request has no effect; `after`: it takes effect.
        content: The content of the answer.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    when: Literal["before", "after"] = "before"
    content: Any = field(default_factory=lambda: {"message": "a fault"})


class Answer(Exception):  # noqa: N818 - it ends a request from wherever it is known
    """An answer."""

    def __init__(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.content, self.headers = status, content, headers or {}


class GitLab:
    """The state of the server. Tests set it up and inspect it."""

    def __init__(self) -> None:
        self.url = ""
        self.projects: dict[str, Project] = {}
        self.users: set[str] = set()
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.authorization: list[str] = []
        self.lock = threading.Lock()

    def add(self, slug: str, files: Mapping[str, bytes | tuple[str, bytes]] | None = None, **fields: Any) -> Project:
        """Add a project with files at its root and the branches `main` and `dockertpl/app`."""
        number = len(self.projects) + 1
        there = {"README.md": b"# It\n", **(files or {})}
        said = {
            "id": number,
            "path_with_namespace": slug,
            "default_branch": "main",
            "archived": False,
            "topics": [],
            "web_url": f"{self.url}/{slug}",
            **fields,
        }
        project = Project(id=number, files=there, branches={"main", "dockertpl/app"}, fields=said)
        self.projects[slug] = project
        return project

    def fails(self, *faults: Fault) -> None:
        """Give one fault to each of the next requests of that kind."""
        self.faults += faults

    def count(self, method: str, path: str) -> int:
        """Return how many requests of a kind were seen."""
        return sum(seen == method and re.fullmatch(path, there) is not None for seen, there, _ in self.seen)

    # --- answers -----------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], content: Any) -> Any:
        """Return the content of an answer. Raise an Answer for a status other than 200."""
        if path == "/user":
            return {"id": ME, "username": "fleet-bot"}
        if found := re.fullmatch(r"/(groups|users)/([^/]+)/projects", path):
            return self._list(found[1], unquote(found[2]), query)
        if path == "/projects":
            return self._filtered(list(self.projects.values()), query)
        if not (found := re.fullmatch(r"/projects/([^/]+)/(.+)", path)) or unquote(found[1]) not in self.projects:
            raise Answer(404, {"message": "404 Project Not Found"})
        project, rest = self.projects[unquote(found[1])], found[2]
        if rest == "repository/tree":
            return self._tree(project, query)
        if file := re.fullmatch(r"repository/files/([^/]+)/raw", rest):
            content = project.files[unquote(file[1])]
            return content if isinstance(content, bytes) else content[1]
        if item := re.fullmatch(r"(merge_requests|issues)(?:/(\d+)(/notes)?)?", rest):
            return self._item(project, item[1], int(item[2] or 0), bool(item[3]), method, query, content)
        raise Answer(404, {"error": "404 Not Found"})

    def _list(self, kind: str, owner: str, query: dict[str, str]) -> list[Item]:
        below = [project for slug, project in self.projects.items() if slug.startswith(f"{owner}/")]
        if not below or (kind == "users") != (owner in self.users):
            raise Answer(404, {"message": f"404 {kind[:-1].title()} Not Found"})
        if kind == "groups" and query.get("include_subgroups") != "true":
            below = [project for project in below if project.fields["path_with_namespace"].count("/") == 1]
        return self._filtered(below, query)

    def _filtered(self, projects: list[Project], query: dict[str, str]) -> list[Item]:
        found = [project.fields for project in projects]
        if "archived" in query:
            found = [item for item in found if item["archived"] == (query["archived"] == "true")]
        if "topic" in query:
            found = [item for item in found if query["topic"] in item["topics"]]
        if "search" in query:
            found = [item for item in found if query["search"] in item["path_with_namespace"]]
        return found

    def _tree(self, project: Project, query: dict[str, str]) -> list[Item]:
        if query.get("ref") not in project.branches:
            raise Answer(404, {"message": "404 Tree Not Found"})
        return [
            {"name": name, "path": name, "type": "blob", "mode": "100644" if isinstance(content, bytes) else content[0]}
            for name, content in project.files.items()
        ]

    def _item(
        self, project: Project, kind: str, number: int, notes: bool, method: str, query: dict[str, str], content: Any
    ) -> Any:
        items = project.requests if kind == "merge_requests" else project.issues
        if not number:
            return self._made(project, kind, items, content) if method == "POST" else self._found(items, query)
        if number > len(items):
            raise Answer(404, {"message": "404 Not found"})
        item = items[number - 1]
        if notes:
            there = project.notes.setdefault(number, [])
            if method == "POST":
                there.append({"id": len(there) + 1, "body": content["body"].strip()})
                raise Answer(201, there[-1])
            return there
        if method == "PUT":
            if content.pop("state_event", "") == "close":
                item["state"] = "closed"
            item.update(content)
            item["draft"] = item["title"].startswith("Draft:")
        return item

    def _made(self, project: Project, kind: str, items: list[Item], content: Any) -> Any:
        slug, number = project.fields["path_with_namespace"], len(items) + 1
        item = {
            "id": 1000 * project.id + number,
            "iid": number,
            "state": "opened",
            "author": {"id": ME},
            "web_url": f"{self.url}/{slug}/-/{kind}/{number}",
            **content,
            "draft": content["title"].startswith("Draft:"),
        }
        if kind == "merge_requests":
            branch = content["source_branch"]
            if branch not in project.branches:
                raise Answer(400, {"message": {"source_branch": ["does not exist"]}})
            for other in items:
                if other["state"] == "opened" and other["source_branch"] == branch:
                    said = f"Another open merge request already exists for this source branch: !{other['iid']}"
                    raise Answer(409, {"message": [said]})
            item |= {"source_project_id": project.id, "target_project_id": project.id}
        items.append(item)
        raise Answer(201, item)

    def _found(self, items: list[Item], query: dict[str, str]) -> list[Item]:
        found = items
        if query.get("state", "all") != "all":
            found = [item for item in found if item["state"] == query["state"]]
        if "source_branch" in query:
            found = [item for item in found if item["source_branch"] == query["source_branch"]]
        if "author_id" in query:
            found = [item for item in found if str(item["author"]["id"]) == query["author_id"]]
        return found if query.get("sort") == "asc" else found[::-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Send head and body in one packet: a second packet waits 40 ms for the acknowledgment of the first.
    wbufsize = -1
    gitlab: GitLab

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name is http.server's
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path, query = parts.path.removeprefix("/api/v4"), dict(parse_qsl(parts.query))
        gitlab = self.gitlab
        with gitlab.lock:
            gitlab.seen.append((self.command, path, query))
            authorization = self.headers.get("Authorization") or f"job {self.headers.get('JOB-TOKEN')}"
            gitlab.authorization.append(authorization)
            fault = next((f for f in gitlab.faults if f.method == self.command and re.fullmatch(f.path, path)), None)
            if fault:
                gitlab.faults.remove(fault)
            if authorization not in (f"Bearer {TOKEN}", f"job {TOKEN}"):
                answer = Answer(401, {"message": "401 Unauthorized"})
            elif fault and fault.when == "before":
                answer = Answer(fault.status, fault.content, fault.headers)
            else:
                answer = self._done(path, query, json.loads(body) if body else None)
                if fault:
                    answer = Answer(fault.status, fault.content, fault.headers)
        if not answer.status:
            self.close_connection = True
            return
        self._send(answer)

    do_POST = do_PUT = do_GET  # noqa: N815 - the names are http.server's

    def _done(self, path: str, query: dict[str, str], content: Any) -> Answer:
        try:
            found = self.gitlab.answer(self.command, path, query, content)
        except Answer as answer:
            return answer
        if isinstance(found, list):
            size, page = int(query.get("per_page", 20)), int(query.get("page", 1))
            found = found[size * (page - 1) : size * page]
        return Answer(200, found)

    def _send(self, answer: Answer) -> None:
        raw = isinstance(answer.content, bytes)
        body = answer.content if raw else json.dumps(answer.content).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/plain" if raw else "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving() -> Iterator[GitLab]:
    """Serve a GitLab without projects on loopback during a `with` block."""
    gitlab = GitLab()
    handler = type("Handler", (_Handler,), {"gitlab": gitlab})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        gitlab.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield gitlab
        finally:
            server.shutdown()
            thread.join()
