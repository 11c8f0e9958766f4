"""GitHub's API for one repository, which docker/metadata-action uses."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class _Handler(BaseHTTPRequestHandler):
    """Answer for the repository and for each of its commits."""

    repository: ClassVar[Mapping[str, Any]]

    def do_GET(self) -> None:
        home = f"/repos/{self.repository['full_name']}"
        found = {"sha": self.path.rpartition("/")[2]} if self.path.startswith(f"{home}/commits/") else self.repository
        known = self.path == home or found is not self.repository
        body = json.dumps(found if known else {"message": "Not Found"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing."""


@contextlib.contextmanager
def answering(repository: Mapping[str, Any]) -> Iterator[str]:
    """Serve GitHub's API for one repository.

    Args:
        repository: The fields of the repository. `full_name` is its name.

    Yields:
        The URL of the API.
    """
    handler = type("Handler", (_Handler,), {"repository": repository})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
