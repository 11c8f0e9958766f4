"""Give the BuildKit of an engine its own address, as a BuildKit in a container has.

The builder of docker/setup-buildx-action pushes by digest. A client that uses the engine refuses that, but the engine's
BuildKit does not. The engine forwards connections to it at `POST /grpc`.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import ClassVar

REQUEST = b"POST /grpc HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 "
END_OF_HEAD = b"\r\n\r\n"
CHUNK = 1 << 16


class _Handler(socketserver.BaseRequestHandler):
    """Forward one connection."""

    engine: ClassVar[str]
    request: socket.socket

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.engine)
            engine.sendall(REQUEST)
            head = b""
            # Read single bytes: the first byte after the head belongs to BuildKit.
            while not head.endswith(END_OF_HEAD) and (byte := engine.recv(1)):
                head += byte
            if not head.startswith(SWITCHED):
                return
            answers = threading.Thread(target=_copy, args=(engine, self.request))
            answers.start()
            _copy(self.request, engine)
            answers.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def reachable(engine: str) -> Iterator[str]:
    """Make an engine's BuildKit reachable.

    Args:
        engine: The path of the engine's socket.

    Yields:
        The address for `buildx create --driver remote`.
    """
    handler = type("Handler", (_Handler,), {"engine": engine})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
