"""The same client over local sockets: connections really end, and threads share one pool."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from tests.fleet.forges.clock import Clock
from tests.fleet.forges.github.fake import FakeGitHub, drops, says

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge, Query
from dockertpl.fleet.forges.github import connect

NAME = ".copier-answers.yml"


@pytest.fixture
def there() -> FakeGitHub:
    """The state of the server."""
    return FakeGitHub()


@pytest.fixture
def forge(there: FakeGitHub, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forge]:
    """GitHub at an address of this machine."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            request = PreparedRequest()
            request.method, request.url, request.body = self.command, f"http://localhost{self.path}", body or None
            request.headers = self.headers  # type: ignore[assignment]
            try:
                with lock:
                    response = there.send(HTTPAdapter(), request)
            except OSError:
                # A reset, or an end without an answer, as from a dying proxy.
                self.close_connection = True
                return
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = do_PATCH = handle_one  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        environ = {"GITHUB_TOKEN": "secret", "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}"}
        yield connect(environ, timing=clock.timing())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _propose(forge: Forge, slug: str) -> int:
    return forge.propose(slug, branch="dockertpl/app", base="main", title="t", body="b", draft=False).number


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_connection_ends_in_one_proposal(forge: Forge, there: FakeGitHub, after: bool) -> None:
    there.fails("POST", "/repos/org/app/pulls", drops(after=after))
    assert _propose(forge, "org/app") == 1
    assert len(there.pulls["org/app"]) == 1
    assert there.count("POST", "/repos/org/app/pulls") == (1 if after else 2)


def test_eight_threads_share_it_through_faults_of_every_sort(forge: Forge, there: FakeGitHub) -> None:
    for number in range(0, 60, 5):
        path = f"/repos/org/r{number}/pulls"
        there.fails("POST", path, drops(after=True))
        there.fails("POST", f"/repos/org/r{number + 1}/pulls", says(502, "Bad Gateway"))
        there.fails("GET", f"/repos/org/r{number + 2}/pulls", says(403, "Slow down", Retry_After="3"))
        there.fails("GET", f"/repos/org/r{number + 3}/pulls", drops(after=False))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda number: _propose(forge, f"org/r{number}"), range(60))) == [1] * 60
    assert [len(pulls) for pulls in there.pulls.values()] == [1] * 60
    assert not there.faults


def test_repositories_are_found(forge: Forge, there: FakeGitHub) -> None:
    for number in range(120):
        there.add(f"org/r{number:03}", {NAME: "ü: 1"})
    found = list(forge.find(Query(owner="org")))
    assert [item.answers for item in found] == [{NAME: "ü: 1"}] * 120


def test_a_port_without_a_listener_is_reported(clock: Clock) -> None:
    environ = {"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "http://127.0.0.1:1"}
    with pytest.raises(ForgeError, match=r"GitHub \(127.0.0.1:1\) cannot be reached") as caught:
        connect(environ, timing=clock.timing()).proposal("org/app", "x")
    assert "HTTPS_PROXY" in caught.value.remedy
