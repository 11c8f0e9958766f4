"""Services beside an application, with a scripted docker that records its commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockertpl.engine import container, services
from dockertpl.engine.client import Client
from dockertpl.errors import BadInputError, MachineError


class Docker:
    """A docker with given answers, by the first words of a command. Other commands succeed without output."""

    def __init__(self, folder: Path) -> None:
        self._script, self._calls = folder / "docker", folder / "calls"
        self._cases: list[str] = []
        self._calls.touch()
        self.client = Client(executable=str(self._script), engine_version="28", buildx_version="0.29")
        self._write()

    def answers(self, words: str, *, code: int = 0, out: str = "", err: str = "") -> None:
        self._cases.append(f"'{words}'*) echo '{out}'; echo '{err}' >&2; exit {code};;")
        self._write()

    def calls(self, *words: str) -> list[str]:
        return [line for line in self._calls.read_text().splitlines() if line.startswith(" ".join(words))]

    def _write(self) -> None:
        cases = "\n".join(self._cases)
        self._script.write_text(f'#!/bin/sh\necho "$*" >> {self._calls}\ncase "$*" in\n{cases}\nesac\n')
        self._script.chmod(0o755)


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def start(docker: Docker, *texts: str, tell: Callable[[str], None] = lambda text: None) -> Any:
    return services.started(docker.client, services.parse(texts), name="shop", tell=tell)


@pytest.mark.parametrize(
    ("text", "name", "image"),
    [
        ("redis:7-alpine", "redis", "redis:7-alpine"),
        ("postgresql:16", "postgres", "postgres:16"),
        ("mongodb", "mongo", "mongo:8.0"),
        ("valkey", "valkey", "valkey/valkey:8"),
        ("postgres=mirror.example:5000/library/postgres:16", "postgres", "mirror.example:5000/library/postgres:16"),
        ("mysql=mysql@sha256:0a", "mysql", "mysql@sha256:0a"),
    ],
)
def test_a_service_is_a_name_with_a_version_or_an_image(text: str, name: str, image: str) -> None:
    assert services.parse([text]) == [services.Wanted(name, image)]


@pytest.mark.parametrize("texts", [["oracle"], ["redis:"], ["redis= --privileged"], [""], ["pg", "postgres:16"]])
def test_an_invalid_or_duplicate_service_is_refused(texts: list[str]) -> None:
    with pytest.raises(BadInputError, match="--with"):
        services.parse(texts)


def test_every_service_has_all_that_is_needed_and_fills_its_templates() -> None:
    for name, entry in services.known().items():
        service = services.Running(
            wanted=services.parse([name])[0], container="c", started=0, password="p" if entry["secret"] else ""
        )
        values = service.values()
        texts = [*entry["env"].values(), *entry["set"].values(), *(word for line in entry["ready"] for word in line)]
        assert not [text for text in texts if "{" in services.fill(text, values).replace("({ ", "")]
        assert set(entry) >= {"title", "schemes", "stems", "kinds", "python", "node", "prisma", "says"}
        assert values["url"].startswith(f"{entry['scheme']}://")


def test_an_address_has_the_drivers_scheme_and_a_password_only_where_one_is_asked_for() -> None:
    postgres, redis = services.parse(["postgres", "redis"])
    one = services.Running(wanted=postgres, container="c", started=0, password="secret")
    assert one.values("postgresql+asyncpg")["url"] == "postgresql+asyncpg://app:secret@postgres:5432/app"
    assert services.Running(wanted=redis, container="c", started=0, password="").values()["url"] == (
        "redis://redis:6379/0"
    )


def test_services_are_on_a_network_of_their_own_and_nothing_is_left(docker: Docker) -> None:
    with start(docker, "postgres", "redis") as beside:
        assert [service.wanted.name for service in beside.services] == ["postgres", "redis"]
        first, second = sorted(docker.calls("container create"))
        assert not docker.calls("container rm")
    (network,) = docker.calls("network create")
    assert network.split()[-1] == beside.network
    for line, service in zip((first, second), beside.services, strict=True):
        assert f"--network={beside.network} --network-alias={service.wanted.name} " in line
        assert "--label=org.dockertpl.owner=" in line and "--publish" not in line
    assert f"--env=POSTGRES_PASSWORD={beside.services[0].password} " in first
    assert len(beside.services[0].password) == 32 and not beside.services[1].password
    names = " ".join(service.container for service in beside.services)
    assert docker.calls()[-2:] == [f"container rm --force --volumes {names}", f"network rm {beside.network}"]
    assert not docker.calls("image pull")


def test_no_two_runs_share_a_password_or_a_name(docker: Docker) -> None:
    with start(docker, "postgres") as one, start(docker, "postgres") as other:
        assert one.network != other.network
        assert one.services[0].container != other.services[0].container
        assert one.services[0].password != other.services[0].password


def test_a_service_that_does_not_start_takes_the_others_with_it(docker: Docker) -> None:
    docker.answers("container start dockertpl-verify-shop-redis", code=1, err="Error: no room")
    with (
        pytest.raises(MachineError, match=r"Redis \(redis:8\) did not start: no room"),
        start(docker, "mysql", "redis"),
    ):
        pytest.fail("it has not started")
    assert docker.calls()[-1].startswith("network rm ") and "shop-mysql" in docker.calls()[-2]


def test_an_interrupt_removes_everything(docker: Docker) -> None:
    with pytest.raises(KeyboardInterrupt), start(docker, "redis"):
        raise KeyboardInterrupt
    assert [line.split()[0:2] for line in docker.calls()[-2:]] == [["container", "rm"], ["network", "rm"]]


def test_a_missing_image_is_pulled_and_the_pull_is_reported(docker: Docker) -> None:
    docker.answers("image inspect", code=1, err="No such image")
    told: list[str] = []
    with start(docker, "redis:7", tell=told.append):
        assert docker.calls("image pull") == ["image pull --quiet redis:7"]
    assert told == ["Pulling redis:7 …"]


def test_an_image_that_cannot_be_had_is_one_message_with_three_ways_on(docker: Docker) -> None:
    docker.answers("image inspect", code=1)
    docker.answers("image pull", code=1, err="Error response from daemon: dial tcp: lookup hub: no such host")
    with pytest.raises(MachineError, match="cannot be pulled: dial tcp: lookup hub") as caught, start(docker, "pg:16"):
        pytest.fail("it has not started")
    assert caught.value.exit_code == 3
    for way in ("docker pull postgres:16", "--with postgres=REGISTRY/IMAGE:TAG", "--env DATABASE_URL="):
        assert way in caught.value.remedy
    assert not docker.calls("network create")


def test_a_version_that_does_not_exist_is_bad_input(docker: Docker) -> None:
    docker.answers("image inspect", code=1)
    docker.answers("image pull", code=1, err="docker.io/library/redis:99: not found")
    with pytest.raises(BadInputError, match="the image redis:99 does not exist"), start(docker, "redis:99"):
        pytest.fail("it has not started")


def test_an_engine_without_room_for_a_network_says_what_to_do(docker: Docker) -> None:
    docker.answers("network create", code=1, err="all predefined address pools have been fully subnetted")
    with pytest.raises(MachineError, match="fully subnetted") as caught, start(docker, "redis"):
        pytest.fail("it has not started")
    assert "docker network prune" in caught.value.remedy


def test_of_the_commands_that_tell_whether_it_is_ready_the_one_that_is_there_counts(docker: Docker) -> None:
    with start(docker, "mongo") as beside:
        name = beside.services[0].container
        docker.answers(f"container exec {name} mongosh", code=127)
        assert services.wait(docker.client, beside.services[0]) >= 0
    asked = [line.split()[3] for line in docker.calls("container exec")]
    assert asked == ["mongosh", "mongo"]


@pytest.mark.parametrize(
    ("says", "code", "why"),
    [
        ("Error: container 12 is not running", 1, "it ended"),
        ("no response", 1, "it did not become ready in 0 s"),
        ("executable file not found", 127, "no command to check"),
    ],
)
def test_a_service_that_does_not_get_ready_is_the_machines_with_its_last_lines(
    docker: Docker, says: str, code: int, why: str
) -> None:
    docker.answers("container exec", code=code, err=says)
    docker.answers("container logs", out="2026-01-01T00:00:01Z FATAL: out of space")
    with start(docker, "postgres") as beside, pytest.raises(MachineError, match=why) as caught:
        services.wait(docker.client, beside.services[0], seconds=0)
    assert "  | FATAL: out of space" in caught.value.message


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5432)", ["postgres"]),
        ('could not translate host name "db" to address', []),
        ('psycopg.OperationalError: could not translate host name "db" to address', ["postgres"]),
        ("Error 111 connecting to localhost:6379. Connection refused.", ["redis"]),
        ("Error: connect ECONNREFUSED 127.0.0.1:3306", ["mysql"]),
        ("pymongo.errors.ServerSelectionTimeoutError: localhost:27017: [Errno 111]", ["mongo"]),
        ("MongooseServerSelectionError: connect ECONNREFUSED ::1:27017", ["mongo"]),
        ("Can't reach database server at `localhost:5432`", ["postgres"]),
        ("(2003, \"Can't connect to MySQL server on 'localhost'\")", ["mysql"]),
        ('psycopg.OperationalError: connection to server at "db", port 5433 failed', ["postgres"]),
        ("amqp: connect ECONNREFUSED 127.0.0.1:5672", None),
        ("INFO: redis is the cache", None),
        ("ValueError: 5432 is no port", None),
    ],
)
def test_a_log_tells_which_server_is_missed(line: str, named: list[str] | None) -> None:
    assert services.unreached(line) == named


def test_a_traceback_names_the_client_where_the_line_does_not_name_the_server() -> None:
    log = '  File "/opt/venv/lib/asyncpg/connect_utils.py", line 9\nsocket.gaierror: Name or service not known'
    assert services.unreached(log) == ["postgres"]


def test_a_client_in_the_traceback_does_not_count_where_the_line_names_another_server() -> None:
    log = '  File "/opt/venv/lib/celery/backends/redis.py", line 9\nOSError: [Errno 111] Connection refused (mq:5672)'
    assert services.unreached(log) is None


def test_what_is_made_carries_its_owner(docker: Docker) -> None:
    container.create(docker.client, "x", "image", [], ["alembic", "upgrade", "head"])
    (line,) = docker.calls("container create")
    assert "--label=org.dockertpl.owner=" in line and line.endswith("-- image alembic upgrade head")


def test_a_pull_is_not_waited_for_without_end(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.answers("image inspect", code=1)
    monkeypatch.setattr(services, "PULL_SECONDS", 0.2)
    script = Path(docker.client.executable)
    script.write_text(script.read_text().replace("esac", "'image pull'*) exec sleep 60;;\nesac"))
    with pytest.raises(MachineError, match="the pull took"), start(docker, "redis"):
        pytest.fail("it has not started")
