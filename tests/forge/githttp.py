"""Git over HTTP: `git http-backend` for a folder of bare repositories."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Answer(NamedTuple):
    """Git's answer to a request."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def backend(root: Path, *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Let git answer a request.

    Args:
        root: The folder that holds the repositories.
        method: The request's method.
        path: The path below it, such as `/org/app.git/info/refs`.
        query: The query string.
        headers: Its headers.
        body: Its body.
    """
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    special = {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
    }
    command = ["git", "http-backend"]
    done = subprocess.run(command, input=body, env={**os.environ, **special}, capture_output=True, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    answered = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return Answer(int(answered.pop("Status", "200").split()[0]), answered, content)


def make_bare(source: Path, path: Path) -> Path:
    """Make a bare clone, as a forge has it. It accepts pushes, and fetches without large files."""
    subprocess.run(["git", "clone", "--quiet", "--bare", str(source), str(path)], check=True)
    for key in ("http.receivepack", "uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "config", key, "true"], cwd=path, check=True)
    return path
