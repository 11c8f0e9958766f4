"""A registry that refuses caches, as some do: a proxy in front of another registry."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

CACHE_MANIFEST = re.compile(r"/v2/.+/manifests/cache-[^/]+")
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")


class _Handler(BaseHTTPRequestHandler):
    """Forward each request, but answer 400 to a manifest with a tag cache-…."""

    protocol_version = "HTTP/1.1"
    # An engine tries TLS first, and falls back to plain HTTP.
    default_request_version = "HTTP/1.1"
    upstream: ClassVar[str]
    refused: ClassVar[list[str]]

    def _pass_on(self) -> None:
        body = self._body()
        if self.command == "PUT" and CACHE_MANIFEST.fullmatch(self.path):
            self.refused.append(self.path)
            self._answer(400, {"Content-Type": "application/json"}, b'{"errors":[{"code":"MANIFEST_INVALID"}]}')
            return
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        # With the client's Host header, the registry's Location headers lead back here.
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection.request(self.command, self.path, body=body, headers=headers)
        answer = connection.getresponse()
        passed = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP[:3]}
        self._answer(answer.status, passed, answer.read())
        connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - names that http.server asks for

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing."""


@contextlib.contextmanager
def refusing_caches(registry: str) -> Iterator[tuple[str, list[str]]]:
    """Serve a registry that refuses caches.

    Args:
        registry: The host:port of the registry behind the proxy.

    Yields:
        The host:port of the proxy, and the paths that it has refused so far.
    """
    refused: list[str] = []
    handler = type("Handler", (_Handler,), {"upstream": registry, "refused": refused})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", refused
        finally:
            server.shutdown()
            thread.join()
