"""The probe from outside the container, with small servers on loopback."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from dockertpl.engine import probe

Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer one connection with these bytes, and return the port."""
    sockets: list[socket.socket] = []

    def start(answer: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)

        def one() -> None:
            connection, _ = listener.accept()
            with connection:
                received.append(connection.recv(4096))
                connection.sendall(answer)

        threading.Thread(target=one, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in sockets:
        listener.close()


received: list[bytes] = []


@pytest.mark.parametrize(
    ("label", "path", "good", "bad"),
    [
        ("/health 2xx", "/health", (200, 204, 299), (199, 300, 302, 404, 503)),
        ("/ <500", "/", (100, 200, 302, 404, 499), (99, 500, 503)),
        ("/live?full=1 <400", "/live?full=1", (200, 399), (400,)),
        ("", "/", (404,), (500,)),
        ("health 2xx", "/", (404,), (500,)),
        ("/a b 2xx", "/", (404,), (500,)),
        ("/a\r\nX: y 2xx", "/", (404,), (500,)),
    ],
)
def test_the_label_says_what_is_good_and_nonsense_says_nothing(
    label: str, path: str, good: tuple[int, ...], bad: tuple[int, ...]
) -> None:
    rule = probe.rule({probe.LABEL: label})
    assert rule.path == path
    for status in good:
        assert probe.good(rule, probe.Answer(status, 0.0, ""))
    for status in bad:
        assert not probe.good(rule, probe.Answer(status, 0.0, ""))
    assert not probe.good(rule, probe.Answer(None, 0.0, ""))


@pytest.mark.parametrize("label", ["/health 2xx", "/a 3xx", "/ <500", "/live?full=1 <400"])
def test_a_rule_is_written_as_its_label(label: str) -> None:
    assert str(probe.rule({probe.LABEL: label})) == label


def test_status_and_first_bytes_come_back(serve: Serve) -> None:
    answer = probe.ask(serve(b"HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nnot\n yet" + b"!" * 9000), "/health")
    assert answer.status == 503
    assert answer.text.startswith("not yet!!!") and len(answer.text) == 200
    assert str(answer).startswith("status 503, 'not yet!!")
    assert received[-1].startswith(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")


def test_an_answer_counts_from_its_status_line_on_though_it_never_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        kept: list[socket.socket] = []

        def one() -> None:
            connection, _ = listener.accept()
            kept.append(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n")

        threading.Thread(target=one, daemon=True).start()
        assert probe.ask(port, "/").status == 200
        kept[0].close()


@pytest.mark.parametrize(
    ("bytes_", "says"), [(b"", "closed without an answer"), (b"SSH-2.0-x\r\n", "no HTTP: 'SSH-2.0-x'")]
)
def test_an_answer_that_is_not_http_is_reported_and_never_raised(serve: Serve, bytes_: bytes, says: str) -> None:
    answer = probe.ask(serve(bytes_), "/")
    assert answer.status is None
    assert says in str(answer)


def test_no_listener_and_no_answer_are_different_results() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert "no answer" in str(probe.ask(port, "/", timeout=0.1))
    assert str(probe.ask(port, "/")) == "connection refused"


def test_a_redirect_says_where_it_leads(serve: Serve) -> None:
    answer = probe.ask(serve(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /login?from=%2F\r\n\r\n"), "/health")
    assert (answer.location, str(answer)) == ("/login?from=%2F", "status 307, a redirect to /login?from=%2F")
    assert probe.ask(serve(b"HTTP/1.1 200 OK\r\nLocation: /a\r\n\r\n"), "/health").location == ""


@pytest.mark.parametrize(
    ("status", "final"),
    [(307, True), (400, True), (404, True), (429, False), (503, False), (200, False), (None, False)],
)
def test_waiting_changes_no_refusal(status: int | None, final: bool) -> None:
    assert probe.is_final(probe.Answer(status, 0.0, "")) is final
