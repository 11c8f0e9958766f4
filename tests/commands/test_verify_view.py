"""What `dockertpl verify` shows, without an engine."""

import json
from typing import Any

import pytest

from dockertpl.commands import verify_view as view
from dockertpl.commands.base_layers import Base
from dockertpl.engine.asking import Asked, Question, Verdict
from dockertpl.engine.layer_cache import Layer
from dockertpl.engine.progress import Progress
from dockertpl.errors import BrokenError, BuildFailedError, DockertplError, NoEngineError, RootUserError, UnhealthyError

FACTS: dict[str, Any] = {
    "build_seconds": 1234.5,
    "steps": 17,
    "cached_steps": 12,
    "ready_seconds": 0.7512,
    "healthy_seconds": 1.46,
    "stop_seconds": None,
    "uid": 10001,
    "read_only": True,
    "healthy": True,
    "paths": [],
    "findings": [],
}
LAYERS = [Layer(number * 1_000_000, f"RUN {number} {'x' * 100}", "sha256:1") for number in range(11)]


def asked(path: str, status: int | None, verdict: Verdict, detail: str = "") -> Asked:
    return Asked(question=Question(path), status=status, verdict=verdict, began=0, ended=0, detail=detail)


def test_the_figures_fit_80_columns_and_have_the_biggest_layers_with_bars() -> None:
    lines = view.figures(FACTS, LAYERS, None).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["image", "55.0", "MB", "unpacked,", "11", "layers"]
    assert [line.split()[:2] for line in lines[1:6]] == [[f"{n}.0", "MB"] for n in (10, 9, 8, 7, 6)]
    bars = [line.count("█") or line.count("#") for line in lines[1:6]]
    assert bars == [10, 9, 8, 7, 6]
    rest = "\n".join(lines[6:])
    assert "12 of 17 steps cached" in rest and "0.75 s" in rest and "uid 10001" in rest
    assert "stopped in" not in rest


def test_the_applications_layers_are_apart_from_the_bases() -> None:
    lines = view.figures(FACTS, LAYERS, Base("python:3.13-slim", 7)).splitlines()
    assert lines[1].split() == ["application", "34.0", "MB", "4", "layers"]
    assert lines[6].split() == ["base", "21.0", "MB", "7", "layers", "of", "python:3.13-slim"]
    assert [line.split()[0] for line in lines[2:6] + lines[7:9]] == ["10.0", "9.0", "8.0", "7.0", "6.0", "5.0"]


def test_an_image_from_scratch_has_no_base_to_tell_apart() -> None:
    assert "base" not in view.figures(FACTS, LAYERS, Base("scratch", 0))


def test_of_each_path_there_is_the_status_and_where_it_led() -> None:
    paths = [asked("/", 307, "redirect", "/docs"), asked("/" + "x" * 90, None, "silent", "no answer in 10 s")]
    lines = view.path_lines(paths)
    assert lines[0] == "  asked       307  /  -> /docs"
    assert lines[1].startswith("                -  /xxx") and len(lines[1]) == 80
    assert view.path_lines([asked("/items", 500, "failed")]) == ["  asked       500  /items  FAILS"]


def paths(*fails: bool) -> list[dict[str, Any]]:
    return [{"fails": one} for one in fails]


def test_the_headline_of_a_good_image() -> None:
    start = "healthy in 1.5 s as uid 10001 on a read-only root"
    assert view.good(FACTS) == start
    assert view.good({**FACTS, "paths": paths(False)}) == f"{start}, 1 of 1 path answers"
    assert view.good({**FACTS, "paths": paths(False, False)}) == f"{start}, 2 of 2 paths answer"
    assert view.good({**FACTS, "read_only": False}).endswith("on a writable root")


@pytest.mark.parametrize(
    ("error", "facts", "line"),
    [
        (BrokenError("x"), {"paths": paths(True, False, False)}, "broken: 1 of 3 paths fails"),
        (BrokenError("x"), {"paths": paths(True, True)}, "broken: 2 of 2 paths fail"),
        (
            BrokenError("x"),
            {
                "paths": paths(True, False),
                "findings": [
                    {"rule": "path-failed", "fails": True},
                    {"rule": "module-missing", "fails": True},
                    {"rule": "file-missing", "fails": False},
                ],
            },
            "broken: 1 of 2 paths fails and 1 error in its log",
        ),
        (BuildFailedError("x"), {}, "broken: it does not build"),
        (RootUserError("x"), {}, "broken: healthy, but it runs as root"),
        (UnhealthyError("x"), {"healthy": False}, "broken: not healthy"),
        (UnhealthyError("x"), {}, "broken: healthy, but SIGTERM does not end it"),
        (NoEngineError("x"), {}, ""),
    ],
)
def test_the_headline_of_a_bad_image_says_in_what_way(error: DockertplError, facts: dict[str, Any], line: str) -> None:
    assert view.bad({**FACTS, **facts}, error) == line


def test_how_far_a_build_is_fits_on_one_line() -> None:
    progress = Progress()
    line = {"vertexes": [{"digest": "a", "name": "[venv 3/9] RUN uv  sync\n && true", "started": "x"}]}
    progress.feed(json.dumps(line))
    assert view.build_text(progress, 3.2) == "0/1  [venv 3/9] RUN uv sync && true"
    progress.feed(json.dumps({"statuses": [{"vertex": "p", "id": "l", "current": 25_000_000, "total": 100_000_000}]}))
    assert view.build_text(progress, 4) == "0/1, 25.0 MB of 100.0, 12 s left  [venv 3/9] RUN uv sync && true"
