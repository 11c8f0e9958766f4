"""HEALTHCHECK: keeps the path and the start period, and reports what the template replaces."""

from __future__ import annotations

import pytest
from tests.adopt.adopting import found, read

from dockertpl import adopt


def _read(line: str) -> adopt.Adoption:
    return read(f"FROM python:3.13\nENV PORT=8000\nHEALTHCHECK {line}\nCMD uvicorn orders.main:app\n")


@pytest.mark.parametrize(
    "command",
    [
        "CMD curl -f http://localhost:8000/healthz || exit 1",
        'CMD ["wget", "-qO-", "http://127.0.0.1:8000/healthz"]',
        "CMD curl http://0.0.0.0:${PORT}/healthz",
        "CMD python -c \"import httpx; httpx.get('http://localhost:8000/healthz')\"",
    ],
)
def test_the_path_is_an_answer_for_every_kind_of_probe(command: str) -> None:
    adoption = _read(command)
    assert adoption.answers["health_path"] == "/healthz"
    assert adoption.doubts == ()


def test_the_root_path_is_not_a_health_route_since_it_may_redirect() -> None:
    assert "health_path" not in _read("CMD curl -f http://localhost:8000/").answers


def test_a_start_period_is_an_answer_in_seconds() -> None:
    assert _read("--start-period=1m30s CMD curl http://localhost/h").answers["health_start_period"] == 90
    assert "health_start_period" not in _read("--start-period=0s CMD curl http://localhost/h").answers


def test_the_other_times_are_dropped_by_name() -> None:
    things = found(_read("--interval=5s --timeout=3s --retries=2 CMD curl http://localhost/h"))
    assert {things[flag][0] for flag in ("--interval=5s", "--timeout=3s", "--retries=2")} == {"dropped"}


def test_what_a_probe_of_a_status_cannot_say_is_a_doubt_or_dropped() -> None:
    assert _read("CMD curl http://localhost:8000/h?deep=1").doubts
    assert _read("CMD curl -s http://localhost:8000/h | grep ok").doubts
    assert _read("CMD pg_isready").answers.get("health_path") is None
    assert found(_read("NONE"))["HEALTHCHECK NONE"][0] == "dropped"
