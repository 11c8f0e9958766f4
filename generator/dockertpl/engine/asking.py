"""Request pages, routes and files from a running service, one at a time."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

What = Literal["page", "file"]
Verdict = Literal["ok", "redirect", "refused", "missing", "failed", "silent"]

MOST = 12
#: The timeout for one answer, and for all together.
PATIENCE = 10.0
_BUDGET = 30.0
_KEPT_BYTES = 262_144
_LONGEST_DESCRIPTION = 8_000_000
# A default width of Next.js for images. A wide image takes seconds.
_THUMBNAIL = 64
# A server that failed writes its log right after the answer.
_SETTLES = 0.15

_ASSETS = re.compile(
    r"""<(?:script|img)\b[^>]{0,400}?\bsrc\s*=\s*["']([^"'>]{1,400})["']"""
    r"""|<link\b[^>]{0,400}?\bhref\s*=\s*["']([^"'>]{1,400})["']""",
    re.IGNORECASE,
)
# Next.js lists an image in several widths and attributes.
_RESIZED = re.compile(r"/[\w./-]{0,200}_next/image\?url=[^\"'\s,<>]{1,400}")


class Question(NamedTuple):
    """A path to request.

    Attributes:
        path: The path, with its query.
        what: A page may answer 404 or refuse. A missing file is a problem.
        source: Where the path was found.
    """

    path: str
    what: What = "page"
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The result of a request.

    Attributes:
        question: The request.
        status: The HTTP status, or None without an answer.
        verdict: The meaning of the status.
        began: The time of the request, in seconds since the epoch.
        ended: The time of the answer or timeout.
        detail: The target of a redirect, or the reason for a missing answer.
        assets: The files on the same server that the page loads.
    """

    question: Question
    status: int | None
    verdict: Verdict
    began: float
    ended: float
    detail: str = ""
    assets: tuple[str, ...] = field(default=())

    @property
    def fails(self) -> bool:
        """Whether it is a problem: an error, no answer, or a missing file."""
        return self.verdict in ("failed", "silent") or (self.verdict == "missing" and self.question.what == "file")


def ask(
    port: int,
    questions: Sequence[Question],
    *,
    most: int = MOST,
    patience: float = PATIENCE,
    on_asked: Callable[[Asked], None] = lambda asked: None,
) -> list[Asked]:
    """Send requests to a port of 127.0.0.1, then request some files that the pages load.

    Args:
        port: The published port.
        questions: The first requests.
        most: The most requests in total. The first ones are always sent.
        patience: The timeout in seconds for one answer.
        on_asked: Called with each result.

    Returns:
        The results. If time runs out, the rest is left out.
    """
    deadline = time.monotonic() + _BUDGET
    found: list[Asked] = []
    known: set[str] = set()
    for question in questions:
        if question.path not in known and time.monotonic() < deadline:
            known.add(question.path)
            found.append(_ask(port, question, patience))
            on_asked(found[-1])
    for asset in _chosen([path for asked in found for path in asked.assets]):
        if len(found) >= most or time.monotonic() > deadline:
            break
        if asset not in known:
            known.add(asset)
            found.append(_ask_file(port, asset, patience))
            on_asked(found[-1])
    return found


def _ask_file(port: int, asset: str, patience: float) -> Asked:
    """Request a file that a page loads. Request a resized image in a small width, to save time."""
    small = asset
    if "_next/image?" in asset:
        small = re.sub(r"([?&]w=)\d+", rf"\g<1>{_THUMBNAIL}", asset)
    asked = _ask(port, Question(small, "file", "a page"), patience)
    # The configuration may only allow other widths.
    if small != asset and asked.status == 400:
        return _ask(port, Question(asset, "file", "a page"), patience)
    return asked


def _ask(port: int, question: Question, patience: float) -> Asked:
    began = time.time()

    def asked(status: int | None, verdict: Verdict, detail: str = "", assets: tuple[str, ...] = ()) -> Asked:
        return Asked(
            question=question,
            status=status,
            verdict=verdict,
            began=began,
            ended=time.time(),
            detail=detail,
            assets=assets,
        )

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        headers = {"Host": "localhost", "Accept": "text/html,application/json;q=0.9,*/*;q=0.8", "Connection": "close"}
        connection.request("GET", question.path, headers=headers)
        answer = connection.getresponse()
        text = _body(connection, answer) if answer.getheader("Content-Type", "").startswith("text/html") else ""
    except TimeoutError:
        return asked(None, "silent", f"no answer in {patience:.0f} s")
    except (OSError, http.client.HTTPException) as error:
        return asked(None, "silent", "the connection was closed without an answer" if _closed(error) else str(error))
    finally:
        connection.close()
    result = asked(
        answer.status,
        verdict_of(answer.status),
        answer.getheader("Location", "")[:200],
        tuple(_assets(question.path, text)),
    )
    if result.fails:
        time.sleep(_SETTLES)
    return result


def described(port: int, path: str = "/openapi.json") -> list[Question]:
    """Return the GET routes without parameters and login from a service's OpenAPI description, if it serves one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": "localhost", "Connection": "close"})
        answer = connection.getresponse()
        known = json.loads(answer.read(_LONGEST_DESCRIPTION)) if answer.status == 200 else {}
    except (OSError, http.client.HTTPException, ValueError):
        return []
    finally:
        connection.close()
    paths = known.get("paths") if isinstance(known, dict) else None
    if not isinstance(paths, dict):
        return []
    return [Question(route, "page", path) for route, item in paths.items() if _is_plain(str(route), item)]


def _is_plain(route: str, item: Any) -> bool:
    get = item.get("get") if isinstance(item, dict) else None
    if not isinstance(get, dict) or not re.fullmatch(r"/[\w./~-]*", route) or get.get("security"):
        return False
    parameters = [*_entries(item), *_entries(get)]
    return not any(isinstance(entry, dict) and entry.get("required") for entry in parameters)


def _entries(item: dict[str, Any]) -> list[Any]:
    parameters = item.get("parameters")
    return parameters if isinstance(parameters, list) else []


def verdict_of(status: int) -> Verdict:
    """Return the meaning of an HTTP status for an existing path."""
    if status >= 500:
        return "failed"
    if 300 <= status < 400:
        return "redirect"
    if status in (404, 410):
        return "missing"
    return "refused" if status >= 400 else "ok"


def _closed(error: Exception) -> bool:
    return isinstance(error, http.client.RemoteDisconnected | ConnectionResetError)


def _body(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> str:
    # A page that streams forever counts as answered.
    if connection.sock is not None:
        connection.sock.settimeout(1.0)
    try:
        return answer.read(_KEPT_BYTES).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""


def _assets(path: str, page: str) -> Iterator[str]:
    """Yield the paths of files on the same server that a page loads."""
    for match in _ASSETS.finditer(page):
        address = unescape(match[1] or match[2])
        if not re.fullmatch(r"[!-~]+", address) or urlsplit(address).scheme or address.startswith("//"):
            continue
        parts = urlsplit(urljoin(path, address))
        # A link may lead to another page. A file has an extension.
        if re.search(r"\.\w{2,5}$", parts.path):
            yield parts.path + (f"?{parts.query}" if parts.query else "")
    yield from sorted((unescape(match[0]) for match in _RESIZED.finditer(page)), key=_width)[:1]


def _width(address: str) -> int:
    match = re.search(r"[?&]w=(\d{1,6})\b", address)
    return int(match[1]) if match else 0


def _chosen(assets: Sequence[str]) -> list[str]:
    """Choose one asset of each type and folder, such as a script, a style sheet and an image."""
    found: dict[tuple[str, str], str] = {}
    for asset in assets:
        path = asset.partition("?")[0]
        folder, _, name = path.rpartition("/")
        found.setdefault((folder.split("/")[1] if "/" in folder else "", name.rpartition(".")[2]), asset)
    return list(found.values())
