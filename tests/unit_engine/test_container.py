"""Parsing the engine's data on a container, with a scripted docker."""

import json
from pathlib import Path

import pytest

from dockertpl.engine import container
from dockertpl.engine.client import Client


def engine(tmp_path: Path, stdout: str, stderr: str = "") -> Client:
    (tmp_path / "stdout").write_text(stdout)
    (tmp_path / "stderr").write_text(stderr)
    script = tmp_path / "docker"
    script.write_text(f"#!/bin/sh\ncat {tmp_path}/stdout\ncat {tmp_path}/stderr >&2\n")
    script.chmod(0o755)
    return Client(executable=str(script), engine_version="28", buildx_version="0.29")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-02T03:04:05.123456789Z", 1767323045.123456),
        ("2026-01-02T03:04:05Z", 1767323045.0),
        ("2026-01-02T05:04:05.5+02:00", 1767323045.5),
        ("0001-01-01T00:00:00Z", 0.0),
        ("", 0.0),
    ],
)
def test_the_engines_times_are_read_to_the_microsecond(text: str, seconds: float) -> None:
    assert container.timestamp(text) == pytest.approx(seconds, abs=1e-5)


def test_both_streams_come_in_the_order_of_time_and_empty_lines_go(tmp_path: Path) -> None:
    client = engine(
        tmp_path,
        "2026-01-01T00:00:01.000000001Z one\n2026-01-01T00:00:03.000000001Z three\n2026-01-01T00:00:04.000000001Z \n",
        "2026-01-01T00:00:02.000000001Z two\n",
    )
    assert container.logs(client, "x", 30) == ["one", "two", "three"]
    assert container.logs(client, "x", 2) == ["two", "three"]


@pytest.mark.parametrize(("script", "well"), [("exit 0", True), ("exit 1", False), ("exec sleep 60", False)])
def test_a_command_that_fails_or_hangs_did_not_succeed(
    script: str, well: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_COMMAND_SECONDS", 1.0)
    client = engine(tmp_path, "")
    Path(client.executable).write_text(f"#!/bin/sh\n{script}\n")
    assert container.succeeds(client, "x", ["true"]) == well


def test_the_uid_is_the_first_process(tmp_path: Path) -> None:
    assert container.running_uid(engine(tmp_path, "PID   UID\n120 7\n99   10001\n"), "x") == 10001
    assert container.running_uid(engine(tmp_path, "PID   UID\n"), "x") is None
    assert container.running_uid(engine(tmp_path, ""), "x") is None


def test_a_numeric_user_is_read_and_none_is_root(tmp_path: Path) -> None:
    client = engine(tmp_path, "")
    assert container.configured_uid(client, "x", "10001:10001") == 10001
    assert container.configured_uid(client, "x", "") == 0
    assert container.configured_uid(client, "x", "app") is None


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("unix:///var/run/docker.sock", True),
        ("npipe:////./pipe/docker_engine", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://[::1]:2375", True),
        ("tcp://docker:2376", False),
        ("ssh://me@far.example", False),
        ("", True),
    ],
)
def test_a_port_is_asked_only_where_it_is(tmp_path: Path, host: str, local: bool) -> None:
    assert container.is_local(engine(tmp_path, host)) is local


def test_uids_are_shifted_by_rootless_and_namespaced_engines(tmp_path: Path) -> None:
    assert container.shifts_uids(engine(tmp_path, json.dumps(["name=seccomp,profile=builtin", "name=rootless"])))
    assert container.shifts_uids(engine(tmp_path, json.dumps(["name=userns"])))
    assert not container.shifts_uids(engine(tmp_path, "null"))


def test_names_do_not_repeat() -> None:
    assert len({container.new_name("api") for _ in range(50)}) == 50
