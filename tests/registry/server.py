"""A registry in this process, on a loopback port, with faults on request."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PLATFORMS = ("linux/amd64", "linux/arm64/v8")

Reply = tuple[int, dict[str, str], bytes]


class Seen(NamedTuple):
    """A received request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class FakeRegistry:
    """The content of the registry, its authentication, and the received requests."""

    address: str
    contents: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    #: None, "basic", or "bearer" with the tokens of `/token`.
    wants: str | None = None
    #: The valid Authorization headers. With "bearer", those of the token server. If empty, none is needed.
    users: set[str] = field(default_factory=set)
    realm: str = ""
    #: Replaces the answer if it returns one.
    instead: Callable[[Seen], Reply | None] = lambda seen: None

    def put_index(
        self, name: str, platforms: tuple[str, ...] = PLATFORMS, *, salt: str = "", media_type: str = INDEX
    ) -> str:
        """Put an index under `REPOSITORY:TAG` and return its digest."""
        manifests: list[dict[str, Any]] = []
        for platform in (*platforms, "unknown/unknown"):
            os, architecture, *variant = platform.split("/")
            entry = {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
            manifests.append({"mediaType": MANIFEST, "digest": digest_of(platform.encode()), "platform": entry})
        content = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "manifests": manifests,
            "annotations": {"salt": salt or name},
        }
        return self.put(name, media_type, json.dumps(content).encode())

    def put_image(self, name: str, config: bytes = b'{"os": "linux", "architecture": "amd64"}') -> str:
        """Put a single image under `REPOSITORY:TAG` and return its digest."""
        repository = name.rpartition(":")[0]
        self.contents[f"/v2/{repository}/blobs/{digest_of(config)}"] = ("application/octet-stream", config)
        content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": digest_of(config)}, "layers": []}
        return self.put(name, MANIFEST, json.dumps(content).encode())

    def put(self, name: str, media_type: str, body: bytes) -> str:
        """Put any manifest under `REPOSITORY:TAG` and return its digest."""
        repository, _, tag = name.rpartition(":")
        for reference in (tag, digest_of(body)):
            self.contents[f"/v2/{repository}/manifests/{reference}"] = (media_type, body)
        return digest_of(body)

    def reply(self, seen: Seen) -> Reply:
        """Answer one request."""
        self.seen.append(seen)
        forced = self.instead(seen)
        if forced:
            return forced
        path = urlsplit(seen.path).path
        if path == "/token":
            return self._token(seen)
        allowed = {"basic": self.users, "bearer": {f"Bearer {TOKEN}"}}.get(self.wants or "")
        if allowed is not None and seen.authorization not in allowed:
            realm = self.realm or f"http://{self.address}/token"
            offered = f'Bearer realm="{realm}",service="fake, registry",scope="repository:x:pull"'
            return 401, {"WWW-Authenticate": offered if self.wants == "bearer" else 'Basic realm="fake"'}, b"{}"
        if path not in self.contents:
            return 404, {}, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
        media_type, body = self.contents[path]
        return 200, {"Content-Type": media_type, "Docker-Content-Digest": digest_of(body)}, body

    def _token(self, seen: Seen) -> Reply:
        if seen.method == "POST":
            fields = parse_qs(seen.body.decode())
            good = fields.get("refresh_token", [""])[0] in self.users
        else:
            good = not self.users or seen.authorization in self.users
        return (200, {}, json.dumps({"token": TOKEN}).encode()) if good else (401, {}, b"{}")


TOKEN = "token-of-the-fake"


@contextmanager
def running() -> Iterator[FakeRegistry]:
    """A registry that runs during a `with` block."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, self.path, headers, self.rfile.read(length))
            status, more, body = registry.reply(seen)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_CONNECT = _answer  # noqa: N815 - the names of http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry = FakeRegistry(address=f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
