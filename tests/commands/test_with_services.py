"""How `verify` parses --with and --run, and which variables they set, without an engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dockertpl.commands import proposal, variables, with_services
from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.engine import client as engine
from dockertpl.engine import first, services
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.strict import RunOptions
from dockertpl.errors import BadInputError, UnhealthyError

CLIENT = engine.Client(executable="/no/docker", engine_version="28", buildx_version="0.29")
IMAGE = ImageFacts(image="sha256:1", user="10001", port=8000, labels={}, probe=())


def shop(tmp_path: Path, *dependencies: str, **environment: str) -> Subject:
    (tmp_path / ".git").mkdir()
    (tmp_path / "requirements.txt").write_text("\n".join(dependencies))
    return Subject("shop", tmp_path / "Dockerfile", tmp_path, "python-fastapi", environment, {"name": "shop"})


def plan(subject: Subject, *with_: str, run: Sequence[str] = (), **options: Any) -> with_services.Plan:
    return with_services.plan(subject, with_, run, RunOptions(**options))


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make services start at once and be ready after two seconds."""

    @contextlib.contextmanager
    def started(client: object, wanted: Sequence[services.Wanted], **_: object) -> Iterator[services.Beside]:
        running = [services.Running(wanted=one, container=one.name, started=0, password="secret") for one in wanted]
        yield services.Beside(network="own", services=running)

    monkeypatch.setattr(services, "started", started)
    monkeypatch.setattr(services, "wait", lambda client, service: 2.0)


def options_beside(planned: with_services.Plan, facts: dict[str, Any] | None = None) -> RunOptions:
    facts = {"services": []} if facts is None else facts
    with with_services.started(CLIENT, planned, "shop", facts, quiet=True) as side:
        return side.ready(RunOptions(environment={"MINE": "1"}))


@pytest.mark.usefixtures("ready")
def test_the_usual_variables_lead_to_the_service_and_each_is_named(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"services": []}
    options = options_beside(plan(shop(tmp_path, "asyncpg"), "postgres:16", "redis"), facts)
    assert options.network == "own"
    assert options.environment["MINE"] == "1"
    assert options.environment["DATABASE_URL"] == "postgresql://app:secret@postgres:5432/app"
    assert (options.environment["PGHOST"], options.environment["POSTGRES_DB"]) == ("postgres", "app")
    assert options.environment["REDIS_URL"].endswith("@redis:6379/0")
    first_, second = facts["services"]
    assert (first_["name"], first_["image"], first_["ready_seconds"]) == ("postgres", "postgres:16", 2.0)
    assert {*first_["variables"], *second["variables"], "MINE"} == {*options.environment}


@pytest.mark.usefixtures("ready")
def test_a_placeholder_is_replaced_and_what_the_caller_gives_is_not(tmp_path: Path) -> None:
    (tmp_path / "mine.env").write_text("PGHOST=elsewhere\n")
    subject = shop(
        tmp_path, "sqlalchemy", "asyncpg", STORE_DSN="postgresql+asyncpg://app:placeholder@localhost:5432/app"
    )
    planned = plan(subject, "postgres", environment={"DATABASE_URL": "mine"}, env_files=[tmp_path / "mine.env"])
    environment = options_beside(planned).environment
    assert environment["STORE_DSN"] == "postgresql+asyncpg://app:secret@postgres:5432/app"
    assert "DATABASE_URL" not in environment and "PGHOST" not in environment
    assert "STORE_DSN" not in variables.with_smoke_test(subject, RunOptions(), True, planned.templates).environment


@pytest.mark.usefixtures("ready")
def test_of_two_databases_the_one_that_the_application_means_has_the_variable(tmp_path: Path) -> None:
    subject = shop(tmp_path, DATABASE_URL="mysql+aiomysql://app:placeholder@localhost:3306/app")
    environment = options_beside(plan(subject, "postgres", "mysql")).environment
    assert environment["DATABASE_URL"] == "mysql+aiomysql://app:secret@mysql:3306/app"
    assert (environment["PGHOST"], environment["MYSQL_HOST"]) == ("postgres", "mysql")


def test_without_with_nothing_is_started_and_nothing_changes(tmp_path: Path) -> None:
    options = RunOptions(environment={"A": "b"})
    with with_services.started(CLIENT, plan(shop(tmp_path)), "shop", {}, quiet=True) as side:
        assert side.ready(options) is options


def test_with_and_network_are_one_error_that_says_what_to_leave_out(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--with creates its own network") as caught:
        plan(shop(tmp_path), "redis", network="n")
    assert "Leave out --network" in caught.value.remedy


def test_a_command_that_ended_well_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run_first(client: object, image: object, command: Sequence[str], **_: object) -> float:
        ran.append(" ".join(command))
        if ran == ["a", "b"]:
            raise UnhealthyError("b failed")
        return 1.0

    monkeypatch.setattr(first, "run_first", run_first)
    planned = plan(shop(tmp_path), run=["a", "b"])
    with with_services.started(CLIENT, planned, "shop", {}, quiet=True) as side:
        with pytest.raises(UnhealthyError):
            side.run_first(IMAGE, "shop", RunOptions())
        side.run_first(IMAGE, "shop", RunOptions())
        side.run_first(IMAGE, "shop", RunOptions())
    assert ran == ["a", "b", "b"]


def test_a_command_that_fails_is_a_finding_with_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = UnhealthyError("--run: `a` ended with code 1.\n  its last lines:\n  | one\n  | two", "Do this.")

    def run_first(*_: object, **__: object) -> float:
        raise error

    monkeypatch.setattr(first, "run_first", run_first)
    with with_services.started(CLIENT, plan(shop(tmp_path), run=["a"]), "shop", {}, quiet=True) as side:
        with pytest.raises(UnhealthyError):
            side.run_first(IMAGE, "shop", RunOptions())
        assert side.failed is error
    assert with_services.as_finding(error) == {
        "rule": "run-first",
        "message": "--run: `a` ended with code 1.",
        "remedy": "Do this.",
        "lines": ["one", "two"],
        "fails": True,
    }


REFUSED = "  | ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5432)"


def proposed(
    subject: Subject, message: str, planned: with_services.Plan | None = None, *, lacks_setting: bool = False
) -> str:
    error = UnhealthyError(f"The container exited with code 1.\n{message}")
    error.lacks_setting = lacks_setting
    return proposal.propose(subject, planned or with_services.Plan(), error)


def test_a_server_that_is_missed_is_proposed_as_a_command_with_what_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").touch()
    (tmp_path / "compose.yaml").write_text("services:\n  db:\n    image: postgres:16\n")
    assert proposed(shop(tmp_path, "asyncpg", "alembic", "redis"), REFUSED) == (
        "It needs PostgreSQL, for asyncpg (requirements.txt:1). Start it beside the image for one run:\n"
        "  dockertpl verify --with postgres:16 --run 'alembic upgrade head'"
    )


def test_what_was_given_is_given_again(tmp_path: Path) -> None:
    subject = shop(tmp_path, "asyncpg", "redis")
    planned = plan(subject, "postgres:16", run=["python seed.py"])
    assert proposed(subject, "  | Error 111 connecting to localhost:6379.", planned).endswith(
        "\n  dockertpl verify --with postgres:16 --run 'python seed.py' --with redis"
    )


def test_where_the_log_names_no_server_all_that_the_dependencies_need_are(tmp_path: Path) -> None:
    advice = proposed(shop(tmp_path, "asyncpg", "redis"), "  | could not translate host name to address")
    assert advice.endswith("Start them beside the image for one run:\n  dockertpl verify --with postgres --with redis")


def test_a_log_that_names_a_server_is_enough(tmp_path: Path) -> None:
    assert proposed(shop(tmp_path), REFUSED).startswith("It needs PostgreSQL. Start it")


def test_a_bad_answer_is_a_maybe(tmp_path: Path) -> None:
    message = "  GET /health from outside: status 503, 'not ready'"
    assert proposed(shop(tmp_path, "asyncpg"), message).startswith("It may need PostgreSQL, for asyncpg")


def test_an_application_that_asks_for_no_server_gets_no_advice(tmp_path: Path) -> None:
    assert proposed(shop(tmp_path, "fastapi"), "  GET /health from outside: status 503, 'not ready'") == ""


def test_a_variable_that_is_missing_is_proposed_where_it_is_an_address(tmp_path: Path) -> None:
    subject = shop(tmp_path, "asyncpg", "redis")
    assert "--with redis" in proposed(subject, "  | KeyError: 'REDIS_URL'", lacks_setting=True)
    assert "--with postgres" in proposed(subject, "  | database_url\n  |   Field required", lacks_setting=True)
    assert proposed(subject, "  | KeyError: 'API_KEY'", lacks_setting=True) == ""


def test_the_probes_own_refusal_proposes_nothing(tmp_path: Path) -> None:
    assert proposed(shop(tmp_path, "asyncpg"), "  GET /health from outside: connection refused") == ""


def test_tables_that_are_missing_propose_the_migrations(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").touch()
    subject = shop(tmp_path, "asyncpg", "alembic")
    message = '  | asyncpg.exceptions.UndefinedTableError: relation "orders" does not exist'
    assert proposed(subject, message, plan(subject, "postgres")) == (
        "Its database has no tables yet. Run its migrations first:\n"
        "  dockertpl verify --with postgres --run 'alembic upgrade head'"
    )
    assert proposed(subject, message, plan(subject, "postgres", run=["alembic upgrade head"])) == ""


def test_an_existing_service_is_reported_with_its_place(tmp_path: Path) -> None:
    subject = shop(tmp_path, "redis")
    assert proposed(subject, "  | Error 111 connecting to localhost:6379.", plan(subject, "redis")) == (
        "Redis is ready at redis:6379. These variables point to it: REDIS_URL, REDIS_HOST, REDIS_PORT.\n"
        "Does the application read its address from another variable, or is it hard-coded?"
    )


def test_a_refused_connection_to_an_unknown_service_proposes_nothing(tmp_path: Path) -> None:
    assert proposed(shop(tmp_path, "httpx"), "  | ConnectionRefusedError: [Errno 111] Connection refused") == ""
