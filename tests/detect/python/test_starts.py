from __future__ import annotations

import pytest

from dockertpl.detect.dockerfile import split
from dockertpl.detect.python.starts import Start, commands_in, read_command


def read(command: str, **values: str) -> Start:
    found = read_command(split(command), values)
    assert found
    return found


@pytest.mark.parametrize(
    "command",
    [
        "uvicorn app.main:app",
        "exec uvicorn app.main:app",
        "python -m uvicorn app.main:app --host 0.0.0.0",
        "uv run --no-sync uvicorn --host 0.0.0.0 app.main:app",
        "/app/.venv/bin/uvicorn app.main:app --reload",
        "opentelemetry-instrument uvicorn 'app.main:app'",
        "alembic upgrade head && uvicorn app.main:app",
    ],
)
def test_the_application_is_found_whatever_stands_around_it(command: str) -> None:
    assert (read(command).server, read(command).target) == ("uvicorn", "app.main:app")


@pytest.mark.parametrize(
    ("command", "port"),
    [
        ("uvicorn a:b --port 9000", 9000),
        ("uvicorn a:b --port=9000", 9000),
        ("uvicorn a:b --port ${PORT:-9000}", 9000),
        ("uvicorn a:b --port $PORT", None),
        ("gunicorn a:b -b 0.0.0.0:9000", 9000),
        ("gunicorn a:b --bind=:9000", 9000),
        ("gunicorn -b:9000 a:b", 9000),
        ("hypercorn a:b --bind [::]:9000", 9000),
        ("granian --interface asgi a:b --port 9000", 9000),
        ("fastapi run app/main.py --port 9000", 9000),
        ("uvicorn a:b", None),
    ],
)
def test_ports_of_every_server(command: str, port: int | None) -> None:
    assert read(command).port == port


def test_a_variable_with_a_known_value_counts() -> None:
    assert read("uvicorn a:b --port $PORT", PORT="9000").port == 9000


def test_options_of_production() -> None:
    found = read("uvicorn a:b --workers 4 --proxy-headers --root-path /api --factory")
    assert (found.workers, found.proxy_headers, found.root_path, found.factory) == (4, True, "/api", True)


def test_gunicorn_with_uvicorn_workers_is_gunicorn() -> None:
    found = read("gunicorn -w 2 -k uvicorn.workers.UvicornWorker --chdir src -c conf.py main:app")
    assert (found.server, found.target, found.workers, found.folder, found.config) == (
        "gunicorn",
        "main:app",
        2,
        "src",
        "conf.py",
    )


def test_a_call_in_the_target_is_a_factory() -> None:
    found = read("gunicorn 'app.main:create_app()'")
    assert (found.target, found.factory) == ("app.main:create_app", True)


def test_fastapi_run_is_uvicorn_and_names_a_file() -> None:
    assert (read("fastapi run app/main.py").server, read("fastapi run app/main.py").file) == ("uvicorn", "app/main.py")
    assert not read("fastapi run").reload
    assert read("fastapi dev main.py").reload


@pytest.mark.parametrize("command", ["pip install uvicorn gunicorn", "echo hi", "fastapi --version", "uvicorn", ""])
def test_what_starts_no_server_is_none(command: str) -> None:
    assert read_command(split(command)) is None


def test_what_is_done_before_is_remembered_but_not_preparation() -> None:
    assert read("sh -c 'alembic upgrade head && uvicorn a:b'").before == "alembic upgrade head"
    assert read("cd src && set -e; uvicorn a:b").before == ""
    assert read("cd src && uvicorn a:b").folder == "src"


def test_commands_in_a_script_or_a_readme_have_their_line() -> None:
    text = "# Title\n\nRun `uvicorn app.main:app --reload`, or uvicorn.\n\n    gunicorn app.main:app \\\n      -w 2\n"
    found = [(start.target, start.workers, line) for start, line in commands_in(text)]
    assert found == [("app.main:app", None, 3), ("app.main:app", 2, 5)]
