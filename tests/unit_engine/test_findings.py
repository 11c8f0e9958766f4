"""The findings about a healthy service."""

from typing import Any

import pytest

from dockertpl.engine.asking import Asked, Question, verdict_of
from dockertpl.engine.findings import Finding, find
from dockertpl.engine.logs import Line, repeated
from dockertpl.engine.traces import raised_in

TRACE = """\
INFO:     172.17.0.1:1 - "GET /items HTTP/1.1" 500 Internal Server Error
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/opt/venv/lib/python3.13/site-packages/starlette/routing.py", line 76, in app
    await response(scope, receive, send)
  File "/app/shop/pages.py", line 12, in items
    return templates.TemplateResponse(request, "items.html")
  File "/opt/venv/lib/python3.13/site-packages/jinja2/loaders.py", line 204, in get_source
    raise TemplateNotFound(
jinja2.exceptions.TemplateNotFound: items.html"""


def asked(path: str, status: int | None, at: float, what: Any = "page", source: str = "") -> Asked:
    verdict = "silent" if status is None else verdict_of(status)
    question = Question(path, what, source)
    return Asked(
        question=question, status=status, verdict=verdict, began=at, ended=at + 0.1, detail="no answer in 10 s"
    )


def lines(text: str, at: float) -> list[Line]:
    return [Line(at + number / 1000, line) for number, line in enumerate(text.splitlines())]


def failing(found: list[Finding]) -> list[str]:
    return [finding.rule for finding in found if finding.fails]


def test_an_error_has_its_exception_its_frame_and_its_lines() -> None:
    log = [*lines("INFO: nothing of that", 1.0), *lines(TRACE, 10.05), *lines("INFO: the next one", 11.0)]
    (found,) = find([asked("/items", 500, 10.0), asked("/fine", 200, 11.0)], log, "/app")
    assert (found.rule, found.fails, found.missing) == ("path-failed", True, "items.html")
    assert found.message == (
        "GET /items: status 500: jinja2.exceptions.TemplateNotFound: items.html (shop/pages.py:12, in items)"
    )
    assert "items.html" in found.remedy
    assert found.lines[-1] == "jinja2.exceptions.TemplateNotFound: items.html"
    assert not any("the next one" in line or "nothing of that" in line for line in found.lines)


def test_what_answers_well_or_wants_a_login_is_not_wrong() -> None:
    answers = [asked(f"/{status}", status, status) for status in (200, 307, 401, 403, 404, 405, 422)]
    assert find(answers, [], "/app") == []


def test_an_answer_that_never_came_is_wrong() -> None:
    (found,) = find([asked("/slow", None, 1.0)], [], "/app")
    assert (found.rule, found.message) == ("no-answer", "GET /slow: no answer in 10 s.")


@pytest.mark.parametrize(
    ("path", "source", "says"),
    [
        ("/_next/static/chunks/a.js", "a page", ".next/static"),
        ("/logo.png", "public/logo.png", "public/"),
        ("/static/app.css", "a page", ""),
    ],
)
def test_a_file_that_is_missing_is_wrong(path: str, source: str, says: str) -> None:
    (found,) = find([asked(path, 404, 1.0, "file", source)], [], "/app")
    assert (found.rule, found.fails) == ("static-missing", True)
    assert says in found.remedy if says else not found.remedy


@pytest.mark.parametrize(
    ("line", "rule", "fails"),
    [
        ("OSError: [Errno 30] Read-only file system: '/app/cache/x'", "write-refused", True),
        ("Error: EROFS: read-only file system, open '/app/.next/cache/x'", "write-refused", True),
        ("sqlite3.OperationalError: attempt to write a readonly database", "write-refused", True),
        ("ModuleNotFoundError: No module named 'numpy'", "module-missing", True),
        ("Error: Cannot find module 'sharp'", "module-missing", True),
        ("PermissionError: [Errno 13] Permission denied: '/app/data/x'", "permission", True),
        ("Error: ENOENT: no such file or directory, open '/app/docs/a.md'", "file-missing", True),
        ("WARNING: OSError: [Errno 30] Read-only file system: '/app/cache/x'", "write-refused", False),
        (
            "2026-11-29 - shop - WARNING - No module named 'x': ModuleNotFoundError: No module named 'x'",
            "module-missing",
            False,
        ),
        ("Error: ENOENT: no such file or directory, open '/etc/elsewhere'", "", False),
        ("INFO:     Application startup complete.", "", False),
    ],
)
def test_a_log_says_what_is_missing_or_may_not_be_written(line: str, rule: str, fails: bool) -> None:
    found = find([], lines(line, 1.0), "/app")
    assert [(one.rule, one.fails) for one in found] == ([(rule, fails)] if rule else [])
    assert all(one.remedy for one in found)


def test_the_same_finding_appears_once() -> None:
    log = lines("\n".join(["OSError: [Errno 30] Read-only file system: '/app/cache/x'"] * 9), 1.0)
    assert len(find([], log, "/app")) == 1
    trace = "Traceback (most recent call last):\nOSError: [Errno 30] Read-only file system: '/app/cache/x'"
    assert failing(find([asked("/w", 500, 1.0)], lines(trace, 1.01), "/app")) == ["path-failed"]


def test_an_error_of_node_names_itself_first() -> None:
    text = "Error: boom\n    at x (/app/server.js:1:1)\n"
    assert raised_in(text.splitlines(), "/app") == ("Error: boom", "")


def test_an_error_that_comes_again_and_again_is_one_whatever_its_numbers() -> None:
    log = [f"ModuleNotFoundError: No module named 'x' (pid {number})" for number in range(5)]
    assert repeated(log, 5) == "ModuleNotFoundError: No module named 'x' (pid 4)"
    assert repeated(log[:4], 5) == ""
    assert repeated(["INFO: tick"] * 9, 5) == ""
