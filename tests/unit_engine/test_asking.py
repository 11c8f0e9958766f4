"""The requests to a running service, with a server in this process."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dockertpl.engine.asking import Asked, Question, ask, described

PAGE = """<html><head>
<link rel="stylesheet" href="/static/app.css?v=1&amp;w=2"><link rel="alternate" href="/feed">
<script src="/_next/static/chunks/main-1.js"></script><script src="/_next/static/chunks/other-2.js"></script>
<script src="https://elsewhere.example/x.js"></script><script src="//elsewhere.example/y.js"></script>
<img src="logo.png"><img srcset="/_next/image?url=%2Fa.png&amp;w=640&amp;q=75 1x,
/_next/image?url=%2Fa.png&amp;w=1080&amp;q=75 2x" src="/_next/image?url=%2Fa.png&amp;w=3840&amp;q=75"></head></html>"""
STATUS = {"/": 200, "/broken": 500, "/moved": 307, "/login": 401, "/gone": 404, "/static/app.css?v=1&w=2": 404}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == "/never":
            self.server.stop.wait(30)  # type: ignore[attr-defined]
            return
        self.send_response(STATUS.get(self.path, 200))
        self.send_header("Content-Type", "text/html" if self.path == "/" else "text/plain")
        if self.path == "/moved":
            self.send_header("Location", "/login")
        self.end_headers()
        served = self.server.served  # type: ignore[attr-defined]
        self.wfile.write((served if self.path == "/openapi.json" else PAGE).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.served = "{}"  # type: ignore[attr-defined]
        running.stop = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.stop.set()  # type: ignore[attr-defined]
        running.shutdown()


def asked(server: Any, *paths: str, **options: Any) -> list[Asked]:
    return ask(server.server_port, [Question(path) for path in paths], **options)


@pytest.mark.parametrize(
    ("path", "status", "verdict", "fails"),
    [
        ("/fine", 200, "ok", False),
        ("/broken", 500, "failed", True),
        ("/moved", 307, "redirect", False),
        ("/login", 401, "refused", False),
        ("/gone", 404, "missing", False),
        ("/cut", None, "silent", True),
    ],
)
def test_what_an_answer_means(server: Any, path: str, status: int | None, verdict: str, fails: bool) -> None:
    (found,) = asked(server, path)
    assert (found.status, found.verdict, found.fails) == (status, verdict, fails)


def test_where_a_redirect_leads_is_known(server: Any) -> None:
    assert asked(server, "/moved")[0].detail == "/login"


def test_an_answer_that_never_comes_is_a_fault_after_its_time(server: Any) -> None:
    (found,) = asked(server, "/never", patience=0.2)
    assert (found.verdict, found.fails) == ("silent", True)


def test_of_the_files_that_a_page_loads_one_of_each_kind_is_asked_for(server: Any) -> None:
    found = asked(server, "/")
    paths = [one.question.path for one in found]
    image = "/_next/image?url=%2Fa.png&w=64&q=75"
    assert paths == ["/", "/static/app.css?v=1&w=2", "/_next/static/chunks/main-1.js", "/logo.png", image]
    assert [one.question.path for one in found if one.fails] == ["/static/app.css?v=1&w=2"]


def test_a_width_that_is_not_allowed_is_given_up_for_one_of_the_page(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STATUS, "/_next/image?url=%2Fa.png&w=64&q=75", 400)
    found = asked(server, "/")[-1]
    assert (found.question.path, found.verdict) == ("/_next/image?url=%2Fa.png&w=640&q=75", "ok")


def test_files_of_pages_are_left_out_where_there_are_enough_questions(server: Any) -> None:
    assert len(asked(server, "/", most=2)) == 2
    assert len(asked(server, "/", "/fine", "/login", most=2)) == 3


def test_a_path_is_asked_for_once(server: Any) -> None:
    assert len(asked(server, "/fine", "/fine")) == 1


def test_of_an_openapi_description_the_plain_get_routes_are_taken(server: Any) -> None:
    query = [{"name": "q", "in": "query", "required": True}]
    paths = {
        "/items": {"get": {}},
        "/items/{id}": {"get": {}},
        "/search": {"get": {"parameters": query}},
        "/below": {"parameters": query, "get": {}},
        "/optional": {"get": {"parameters": [{"name": "q", "in": "query"}]}},
        "/mine": {"get": {"security": [{"bearer": []}]}},
        "/orders": {"post": {}},
        "/odd path": {"get": {}},
    }
    server.served = json.dumps({"paths": paths})
    assert [one.path for one in described(server.server_port)] == ["/items", "/optional"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"paths": []}', '{"paths": {"/a": []}}', '{"paths": {"/a": {"get": 1}}}']
)
def test_an_invalid_description_has_no_routes(server: Any, text: str) -> None:
    server.served = text
    assert described(server.server_port) == []


def test_where_nothing_listens_there_is_no_description_and_no_answer() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    assert described(port) == []
    assert [one.verdict for one in ask(port, [Question("/")])] == ["silent"]
