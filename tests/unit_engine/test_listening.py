"""The listening address in the log of each server."""

import pytest

from dockertpl.engine import listening


@pytest.mark.parametrize(
    ("line", "port", "host", "inward"),
    [
        ("INFO:     Uvicorn running on http://0.0.0.0:9000 (Press CTRL+C to quit)", 9000, "0.0.0.0", False),
        ("INFO:     Uvicorn running on http://[::1]:9000 (Press CTRL+C to quit)", 9000, "[::1]", True),
        ("[2026-01-01 00:00:00 +0000] [7] [INFO] Listening at: http://127.0.0.1:8000 (7)", 8000, "127.0.0.1", True),
        ("[2026-01-01] [7] [INFO] Running on http://127.0.0.1:8000 (CTRL + C to quit)", 8000, "127.0.0.1", True),
        ("[INFO] Listening at: http://127.0.0.1:8000", 8000, "127.0.0.1", True),
        ("Listening on TCP address 127.0.0.1:8000", 8000, "127.0.0.1", True),
        ("   - Network:      http://localhost:3001", 3001, "localhost", True),
        # Next.js also says localhost for 0.0.0.0.
        ("   - Local:        http://localhost:3001", 3001, "", False),
        ("> Ready on http://localhost:3001", 3001, "", False),
        ("Server listening on port 4000", 4000, "", False),
        ("listening on :4000", 4000, "", False),
    ],
)
def test_each_server_is_understood(line: str, port: int, host: str, inward: bool) -> None:
    place = listening.find(["Starting", line, 'GET "/health" 200'])
    assert place is not None
    assert (place.port, place.host, place.is_inward, place.line) == (port, host, inward, line.strip())


@pytest.mark.parametrize(
    "line",
    [
        "Redis is ready on port 6379",
        "connected to http://queue:9000",
        "started job 4711 on port forward 8022",
        "Uvicorn running on unix socket /run/app.sock",
    ],
)
def test_what_is_said_of_another_server_is_nothing(line: str) -> None:
    assert listening.find([line]) is None


def test_a_known_server_counts_more_than_what_a_program_says() -> None:
    place = listening.find(["Uvicorn running on http://0.0.0.0:8000 (Press", "metrics listening on port 9090"])
    assert place and place.port == 8000


def test_an_application_that_is_still_starting_is_told_from_one_that_has_started() -> None:
    waiting = "INFO:     Waiting for application startup."
    assert listening.is_starting(["x", waiting, "loading the model"])
    assert not listening.is_starting(["x", waiting, "INFO:     Application startup complete."])
    assert not listening.is_starting(["x"])
