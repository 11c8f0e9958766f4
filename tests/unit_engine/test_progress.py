"""Parsing BuildKit's status stream."""

import base64
import json
from typing import Any

from dockertpl.engine.progress import Progress


def told(*messages: dict[str, Any] | str) -> Progress:
    progress = Progress()
    for message in messages:
        progress.feed(message if isinstance(message, str) else json.dumps(message))
    return progress


def vertex(digest: str, name: str, **more: Any) -> dict[str, Any]:
    return {"vertexes": [{"digest": digest, "name": name, **more}]}


def log(digest: str, text: str) -> dict[str, Any]:
    return {"logs": [{"vertex": digest, "data": base64.b64encode(text.encode()).decode()}]}


RAN = {"started": "2026-01-01T00:00:00Z", "completed": "2026-01-01T00:00:01Z"}


def test_steps_are_the_instructions_that_make_something_once_each() -> None:
    progress = told(
        vertex("a", "[internal] load .dockerignore", **RAN),
        vertex("b", "[build 1/3] FROM docker.io/library/python:3.13-slim@sha256:0", **RAN),
        vertex("c", "[build 2/3] COPY --link a b", **RAN),
        vertex("d", "[build 2/3] LINK COPY --link a b", **RAN),
        vertex("e", "[3/3] RUN make", cached=True, **RAN),
        vertex("f", "[linux/amd64 prod 2/2] RUN true\n  && false"),
        vertex("g", "exporting to image", **RAN),
    )
    assert [step.name for step in progress.steps()] == [
        "[build 2/3] COPY --link a b",
        "[3/3] RUN make",
        "[linux/amd64 prod 2/2] RUN true\n  && false",
    ]


def test_a_step_that_was_cached_or_never_needed_did_not_run() -> None:
    progress = told(
        vertex("a", "[1/3] RUN one"),
        vertex("b", "[2/3] RUN two"),
        vertex("c", "[3/3] RUN three", **RAN),
        vertex("a", "[1/3] RUN one", cached=True, **RAN),
    )
    assert progress.cached() == 2


def test_the_current_step_is_the_one_that_began_last_and_was_not_cached() -> None:
    progress = Progress()
    said = []
    for message in (
        vertex("a", "[1/2] RUN one"),
        vertex("a", "[1/2] RUN one", started="x"),
        vertex("b", "[internal] load", **RAN),
        vertex("c", "[2/2] RUN two", cached=True, **RAN),
    ):
        progress.feed(json.dumps(message))
        said.append(progress.current)
    assert said == ["", "[1/2] RUN one", "[1/2] RUN one", "[1/2] RUN one"]


def test_steps_that_are_over_and_bytes_that_were_moved_are_counted() -> None:
    progress = told(
        vertex("a", "[1/3] RUN one", **RAN),
        vertex("b", "[2/3] RUN two", cached=True),
        vertex("c", "[3/3] RUN three", started="x"),
        {"statuses": [{"vertex": "p", "id": "l1", "current": 10, "total": 100}]},
        {"statuses": [{"vertex": "p", "id": "l1", "current": 40, "total": 100}, {"vertex": "p", "id": "x"}]},
        {"statuses": [{"vertex": "p", "id": "l2", "current": 70, "total": 50}]},
    )
    assert progress.done() == 2
    assert progress.moved() == (90, 150)


def test_a_log_is_quoted_without_what_colors_it() -> None:
    progress = told(
        vertex("a", "[1/1] RUN x", error="x", **RAN), log("a", "\x1b[31m\x1b[1mError:\x1b[0m no\x1b[?25h\n")
    )
    assert progress.vertexes["a"].log_lines(1) == ["Error: no"]


def test_the_step_that_failed_is_told_from_those_that_were_called_off() -> None:
    progress = told(
        vertex("a", "[a 1/1] RUN one", error="context canceled", **RAN),
        vertex("b", "[b 1/1] RUN two", error="process did not complete successfully: exit code: 2", **RAN),
        log("b", "first\n10%\r100%\n"),
        log("b", "last \xff"),
    )
    failed = progress.failed()
    assert failed and failed.name == "[b 1/1] RUN two"
    assert failed.log_lines(2) == ["100%", "last \xff"]


def test_the_clients_last_word_and_its_mark_in_the_dockerfile() -> None:
    progress = told(
        "Dockerfile:6",
        "--------------------",
        "   5 |     COPY a b",
        "   6 | >>> RUN false",
        "   7 | >>>   && true",
        "--------------------",
        "ERROR: failed to build: failed to solve: it did not go",
        "",
    )
    assert progress.excerpt() == (6, "RUN false")
    assert progress.error() == "it did not go"


def test_a_log_without_end_keeps_its_end() -> None:
    progress = told(*(log("a", f"{number} {'x' * 1000}\n") for number in range(100)))
    assert len(progress.vertexes["a"].log) <= 32_768
    assert progress.vertexes["a"].log_lines(1)[0].startswith("99 ")


def test_warnings_are_kept_once() -> None:
    warning = {"warnings": [{"short": base64.b64encode(b"FromAsCasing: x (line 1)").decode()}]}
    assert told(warning, warning).warnings == ["FromAsCasing: x (line 1)"]


def test_a_truncated_or_strange_stream_does_not_cause_a_traceback() -> None:
    progress = told('{"vertexes": [', "[]", "null", {"vertexes": None}, {"logs": [{"vertex": "a", "data": "%%%"}]}, {})
    assert progress.steps() == []
    assert progress.failed() is None
    assert told().error()
