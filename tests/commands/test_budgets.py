"""The budgets of an image, without an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from dockertpl.commands import budgets
from dockertpl.commands.budgets import Figures, check, grown, parse_bytes
from dockertpl.engine.layer_cache import Layer
from dockertpl.errors import BadInputError

BASE = Layer(80_000_000, "# debian.sh --arch 'amd64' out/ 'trixie' '@1'", "")
VENV = Layer(100_000_000, "COPY --link /app/.venv /app/.venv", "")
CODE = Layer(1_000_000, "COPY --link . /app", "")


def figures(layers: Sequence[Layer] = (BASE, VENV, CODE), ready: float | None = 1.0, **more: Any) -> Figures:
    return Figures(name="main", bytes=sum(layer.bytes for layer in layers), ready=ready, layers=layers, **more)


def rules(found: Sequence[dict[str, Any]]) -> list[str]:
    return [finding["rule"] for finding in found]


def starts(*seconds: float) -> Callable[[], float]:
    """Return a function that restarts an image. Each call takes the next of these times."""
    times: Iterator[float] = iter(seconds)
    return lambda: next(times)


@pytest.mark.parametrize(
    ("text", "count"),
    [("250MB", 250_000_000), ("1.5 GB", 1_500_000_000), ("900kB", 900_000), ("7", 7), ("7B", 7), ("1MiB", 1_048_576)],
)
def test_an_amount_of_bytes_has_a_unit(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "much", "-1MB", "250 XB", "0", "1e9", "1.MB"])
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="--max-bytes"):
        parse_bytes(text)


def test_an_image_is_held_to_its_bytes_and_its_largest_layers_are_named() -> None:
    assert check(figures(), max_bytes=181_000_000, max_ready=None, baseline=None) == []
    (finding,) = check(figures(), max_bytes=180_000_000, max_ready=None, baseline=None)
    assert finding["rule"] == "max-bytes"
    assert finding["message"] == "The image has 181.0 MB; --max-bytes allows 180.0 MB."
    assert finding["lines"][0] == "100.0 MB  COPY --link /app/.venv /app/.venv"


def test_a_start_is_slow_only_if_three_are() -> None:
    slow = figures(ready=3.0, again=starts(2.9, 3.1))
    (finding,) = check(slow, max_bytes=None, max_ready=2.0, baseline=None)
    assert finding["message"] == "The image was ready after 2.90 s; --max-ready allows 2 s."
    once = figures(ready=3.0, again=starts(1.0))
    assert check(once, max_bytes=None, max_ready=2.0, baseline=None) == []


def test_a_start_that_is_not_known_breaks_no_budget() -> None:
    assert check(figures(ready=None), max_bytes=None, max_ready=0.1, baseline=figures()) == []


@pytest.mark.parametrize(("code", "found"), [(19_000_000, []), (20_000_000, ["baseline-bytes"])])
def test_growth_counts_from_ten_percent(code: int, found: list[str]) -> None:
    now = figures([BASE, VENV, CODE._replace(bytes=code)])
    assert rules(check(now, max_bytes=None, max_ready=None, baseline=figures())) == found


def test_growth_names_the_layer_that_grew_and_its_files() -> None:
    now = figures(
        [BASE, VENV, CODE._replace(bytes=60_000_000)],
        files=lambda: [{}, {}, {"app/menu.bin": 58_000_000, "app/data.db": 1_600_000, "app/main.py": 400_009}],
    )
    before = figures(files=lambda: [{}, {}, {"app/data.db": 600_000, "app/main.py": 400_000}])
    (finding,) = check(now, max_bytes=None, max_ready=None, baseline=before)
    assert finding["message"] == "The image grew by 59.0 MB (33%): 181.0 MB in main, 240.0 MB now."
    assert finding["lines"] == [
        "+59.0 MB  COPY --link . /app (1.0 MB before)",
        "  +58.0 MB  /app/menu.bin (new)",
        "  +1.0 MB  /app/data.db",
    ]


def test_against_a_file_of_figures_the_largest_files_of_the_layer_are_named() -> None:
    now = figures([BASE, VENV, CODE._replace(bytes=60_000_000)], files=lambda: [{}, {}, {"app/menu.bin": 58_000_000}])
    (finding,) = check(now, max_bytes=None, max_ready=None, baseline=figures())
    assert finding["lines"] == ["+59.0 MB  COPY --link . /app (1.0 MB before)", "  58.0 MB  /app/menu.bin"]


def test_files_are_read_only_where_a_layer_has_to_be_explained() -> None:
    def never() -> list[dict[str, int]]:
        raise AssertionError("the image is saved")

    assert check(figures(files=never), max_bytes=1, max_ready=None, baseline=figures(files=never))


def test_layers_belong_together_by_their_instruction_then_by_its_first_words() -> None:
    other_base = BASE._replace(instruction="# debian.sh --arch 'amd64' out/ 'trixie' '@2'", bytes=81_000_000)
    twice = [CODE, CODE._replace(bytes=5_000_000)]
    extra = Layer(9_000_000, "RUN make assets", "")
    found = grown([BASE, VENV, *twice], [other_base, extra, VENV, CODE, twice[1]._replace(bytes=7_000_000)])
    assert found == [(9_000_000, None, 1), (2_000_000, 3, 4), (1_000_000, 0, 0)]


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (1.0, 1.24, []),  # less than a quarter of a second
        (5.0, 5.4, []),  # less than 10 %
        (1.0, 1.25, ["baseline-ready"]),
        (None, 9.0, []),
    ],
)
def test_a_start_is_later_by_ten_percent_and_a_quarter_of_a_second(
    before: float | None, now: float, found: list[str]
) -> None:
    assert rules(check(figures(ready=now), max_bytes=None, max_ready=None, baseline=figures(ready=before))) == found


def test_a_start_that_was_late_once_is_not_called_late() -> None:
    now = figures(ready=2.0, again=starts(1.0))
    assert check(now, max_bytes=None, max_ready=None, baseline=figures(ready=1.0)) == []


def test_both_are_started_in_turn_and_the_quickest_of_each_counts() -> None:
    now, before = figures(ready=3.0, again=starts(2.0, 2.5)), figures(ready=1.5, again=starts(1.0, 1.8))
    (finding,) = check(now, max_bytes=None, max_ready=None, baseline=before)
    assert finding["message"] == "The image starts 1.00 s later: 1.00 s in main, 2.00 s now."


def test_the_error_has_each_finding_once() -> None:
    found = check(figures(), max_bytes=1, max_ready=0.5, baseline=None)
    error = budgets.error(found)
    assert error.exit_code == 1
    assert [line for line in error.message.splitlines() if not line.startswith(" ")] == [
        "The image has 181.0 MB; --max-bytes allows 0.0 MB.",
        "The image was ready after 1.00 s; --max-ready allows 0.5 s.",
    ]
