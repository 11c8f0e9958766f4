"""CMD and ENTRYPOINT: what becomes an answer, and what runs before the server."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.adopt.adopting import found, read


def _read(*lines: str, kind: str = "python-fastapi", **known: Any) -> tuple[dict[str, object], str, tuple[str, ...]]:
    base = "python:3.13-slim" if kind == "python-fastapi" else "node:24-slim"
    adoption = read(f"FROM {base}\nWORKDIR /app\nCOPY . .\n" + "\n".join(lines) + "\n", kind=kind, **known)
    entry = re.search(r"^ENTRYPOINT (.*)$", adoption.regions.get("image", ""), re.MULTILINE)
    return adoption.answers, entry[1] if entry else "", adoption.doubts


def test_a_server_s_options_become_answers() -> None:
    answers, entry, doubts = _read(
        "CMD uvicorn orders.main:app --host 0.0.0.0 --port 9000 --workers 3 --root-path /api --proxy-headers"
    )
    assert {key: answers[key] for key in ("port", "workers", "root_path", "proxy_headers", "server")} == {
        "port": 9000,
        "workers": 3,
        "root_path": "/api",
        "proxy_headers": True,
        "server": "uvicorn",
    }
    assert (entry, doubts) == ("", ())


@pytest.mark.parametrize(
    "command",
    [
        'CMD ["poetry", "run", "uvicorn", "orders.main:app", "--port", "9000"]',
        'CMD ["uv", "run", "--no-sync", "uvicorn", "orders.main:app", "--port", "9000"]',
        'ENTRYPOINT ["python", "-m", "uvicorn"]\nCMD ["orders.main:app", "--port", "9000"]',
        "CMD exec uvicorn orders.main:app --port ${PORT:-9000}",
        "CMD cd /app && uvicorn orders.main:app --port=9000",
        'CMD ["fastapi", "run", "orders/main.py", "--port", "9000"]',
        'CMD ["gunicorn", "orders.main:app", "-k", "uvicorn.workers.UvicornWorker", "-b", ":9000"]',
    ],
)
def test_a_server_needs_no_entry_point_however_it_is_called(command: str) -> None:
    answers, entry, doubts = _read(command)
    assert answers["port"] == 9000
    assert (entry, doubts) == ("", ())


def test_what_runs_before_the_server_becomes_an_entry_point() -> None:
    _, entry, doubts = _read("CMD poetry run alembic upgrade head && poetry run uvicorn orders.main:app")
    assert json.loads(entry) == ["sh", "-c", 'alembic upgrade head && exec "$@"', "--"]
    assert doubts == ()
    _, entry, _ = _read('CMD ["bash", "-c", "alembic stamp head ; uvicorn orders.main:app"]')
    assert json.loads(entry) == ["sh", "-c", 'alembic stamp head; exec "$@"', "--"]


def test_a_script_before_the_server_gets_its_command() -> None:
    answers, entry, doubts = _read('ENTRYPOINT ["./docker/entrypoint.sh"]', 'CMD ["uvicorn", "orders.main:app"]')
    assert json.loads(entry) == ["/app/docker/entrypoint.sh"]
    assert answers["port"] == 8000
    assert doubts == ()


def test_a_script_alone_gets_the_server_s_command() -> None:
    _, entry, doubts = _read('CMD ["bash", "start.sh"]')
    assert json.loads(entry) == ["bash", "/app/start.sh"]
    assert doubts == ()


def test_options_that_the_template_has_not_are_variables_of_the_server() -> None:
    adoption = read('FROM python:3.13\nCMD ["uvicorn", "orders.main:app", "--log-level", "info", "--no-access-log"]\n')
    assert adoption.regions["environment"] == 'ENV UVICORN_LOG_LEVEL="info"\nENV UVICORN_ACCESS_LOG="false"\n'
    adoption = read("FROM python:3.13\nCMD gunicorn orders.main:app --timeout 90 --preload\n")
    assert adoption.regions["environment"] == 'ENV GUNICORN_CMD_ARGS="--timeout=90 --preload"\n'


def test_an_unknown_option_needs_a_review() -> None:
    assert "--unheard 1" in " ".join(_read("CMD uvicorn orders.main:app --unheard 1")[2])


def test_reloading_is_for_development() -> None:
    adoption = read("FROM python:3.13\nCMD uvicorn orders.main:app --reload\n")
    assert found(adoption)["--reload"] == ("dropped", "the stage dev reloads")
    assert adoption.doubts == ()


def test_a_low_port_is_dropped_with_its_reason() -> None:
    adoption = read("FROM python:3.13\nEXPOSE 80\nCMD uvicorn orders.main:app --port 80\n")
    assert "port" not in adoption.answers
    assert "root" in found(adoption)["EXPOSE 80"][1]


def test_a_server_has_a_port_of_its_own() -> None:
    assert _read("EXPOSE 5000", "CMD uvicorn orders.main:app")[0]["port"] == 8000


@pytest.mark.parametrize(
    "command", ["CMD uvicorn $APP --port 9000", "CMD celery worker", "CMD uvicorn other.thing:app"]
)
def test_what_starts_something_else_is_a_doubt(command: str) -> None:
    assert _read(command)[2]


def test_a_file_that_starts_the_server_is_replaced_and_reported() -> None:
    adoption = read("FROM python:3.13\nCMD python main.py\n")
    assert found(adoption)["main.py"][0] == "dropped"


@pytest.mark.parametrize(
    "command",
    [
        "CMD npm start",
        'CMD ["node", "server.js"]',
        'CMD ["npx", "next", "start", "-p", "3000"]',
        "CMD HOSTNAME=0.0.0.0 node server.js",
    ],
)
def test_the_starts_of_next_js_are_the_template_s(command: str) -> None:
    _, entry, doubts = _read(command, kind="nextjs-standalone")
    assert (entry, doubts) == ("", ())


def test_a_server_of_the_application_s_own_is_a_doubt() -> None:
    assert _read("CMD node dist/server.js", kind="nextjs-standalone")[2]


def test_a_program_that_the_standalone_output_lacks_is_a_doubt() -> None:
    _, entry, doubts = _read("CMD npx prisma migrate deploy && node server.js", kind="nextjs-standalone")
    assert json.loads(entry)[2] == 'npx prisma migrate deploy && exec "$@"'
    assert "may not have it" in doubts[0]
