"""An engine's BuildKit at its own address: requests reach the engine, and its answers come back."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import buildkit


@contextlib.contextmanager
def _engine(path: Path, answer: bytes) -> Iterator[None]:
    """An engine that answers one request, and then echoes its input in capitals."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            head = connection.recv(len(buildkit.REQUEST), socket.MSG_WAITALL)
            connection.sendall(answer if head == buildkit.REQUEST else b"HTTP/1.1 400 \r\n\r\n")
            while data := connection.recv(1024):
                connection.sendall(data.upper())

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def _said(address: str) -> bytes:
    """Send bytes to an address, and return the whole answer."""
    host, _, port = address.removeprefix("tcp://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"hello")
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1024), b""))


@pytest.mark.parametrize(
    ("answer", "back"),
    [
        (b"HTTP/1.1 101 UPGRADED\r\nUpgrade: h2c\r\n\r\nfirst ", b"first HELLO"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", b""),
    ],
)
def test_a_connection_is_handed_on_where_the_engine_agrees(answer: bytes, back: bytes, tmp_path: Path) -> None:
    socket_file = tmp_path / "engine.sock"
    with buildkit.reachable(str(socket_file)) as address, _engine(socket_file, answer):
        assert _said(address) == back
