from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockertpl.registry.credentials import Credentials, find
from dockertpl.registry.reference import hosts

AUTH = base64.b64encode(b"ann:se:cret").decode()
LOGIN = hosts()["docker.io"]["login"]
ANN = Credentials(user="ann", secret="se:cret")

Configure = Callable[[Any], object]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return lambda config: (tmp_path / "config.json").write_text(
        config if isinstance(config, str) else json.dumps(config)
    )


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """`helper(NAME, SCRIPT)` puts a credential helper on PATH, and returns a file for its log."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def write(name: str, script: str) -> Path:
        path = folder / f"docker-credential-{name}"
        path.write_text(f'#!/bin/sh\n{{ echo "$1"; cat; }} > {tmp_path}/asked\n{script}\n')
        path.chmod(0o755)
        return tmp_path / "asked"

    return write


@pytest.mark.parametrize(
    "key", ["registry.example.com", "https://registry.example.com", "https://registry.example.com/v2/"]
)
def test_a_login_is_found_however_its_host_is_written(configure: Configure, key: str) -> None:
    configure({"auths": {"other.example.com": {"auth": "eDp5"}, key: {"auth": AUTH}}})
    assert find("registry.example.com").credentials == ANN
    assert find("registry.example.com:5000").credentials is None
    assert find("example.com").credentials is None


def test_the_default_registry_s_login_has_its_own_name(configure: Configure) -> None:
    configure({"auths": {LOGIN: {"auth": AUTH}}})
    assert find("docker.io").credentials == ANN


def test_tokens_and_separate_fields_are_read(configure: Configure) -> None:
    configure({"auths": {"a.io": {"identitytoken": "i"}, "b.io": {"registrytoken": "r"}, "c.io": {}}})
    assert find("a.io").credentials == Credentials(identity_token="i")
    assert find("b.io").credentials == Credentials(registry_token="r")
    assert find("c.io").credentials is None
    configure({"auths": {"a.io": {"username": "ann", "password": "se:cret"}}})
    assert find("a.io").credentials == ANN


def test_a_host_s_helper_is_asked_before_the_store(configure: Configure, helper: Callable[..., Path]) -> None:
    asked = helper("mine", """echo '{"ServerURL": "x", "Username": "ann", "Secret": "se:cret"}'""")
    configure({"credHelpers": {"registry.example.com": "mine"}, "credsStore": "none"})
    assert find("registry.example.com").credentials == ANN
    assert asked.read_text() == "get\nregistry.example.com"
    configure({"credsStore": "mine"})
    assert find("docker.io").credentials == ANN
    assert asked.read_text() == f"get\n{LOGIN}"


def test_a_helper_s_token_is_an_identity(configure: Configure, helper: Callable[..., Path]) -> None:
    helper("mine", """echo '{"Username": "<token>", "Secret": "t"}'""")
    configure({"credsStore": "mine"})
    assert find("a.io").credentials == Credentials(identity_token="t")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 'credentials not found in native keychain'; exit 1", ""),
        ("echo '{}'", ""),
        ("echo 'no session' >&2; exit 1", "docker-credential-mine failed: no session"),
        ("echo nonsense", "docker-credential-mine did not answer with a JSON object"),
    ],
)
def test_a_helper_that_has_nothing_leaves_the_file(
    configure: Configure, helper: Callable[..., Path], script: str, problem: str
) -> None:
    helper("mine", script)
    configure({"credsStore": "mine", "auths": {"a.io": {"auth": AUTH}}})
    found = find("a.io")
    assert (found.credentials, found.problem) == (ANN, problem)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("absent", "docker-credential-absent is not installed"), ("../x", "is not a credential helper's name")],
)
def test_a_helper_that_cannot_be_run_is_named(configure: Configure, name: str, problem: str) -> None:
    configure({"credsStore": name})
    assert problem in find("a.io").problem


@pytest.mark.parametrize("config", ["{", "[]", "null"])
def test_an_invalid_file_is_named(configure: Configure, config: str) -> None:
    configure(config)
    assert "config.json is not a JSON object" in find("a.io").problem


@pytest.mark.parametrize("entry", ["x", {"auth": "!"}, {"auth": 1}, {"auth": "/w=="}, None])
def test_an_invalid_login_is_ignored(configure: Configure, entry: Any) -> None:
    configure({"auths": {"a.io": entry}, "credHelpers": []})
    assert find("a.io").credentials is None


def test_without_docker_s_file_there_is_nothing_and_home_is_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find("a.io").credentials is None and not find("a.io").problem
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {"a.io": {"auth": AUTH}}}))
    assert find("a.io").credentials == ANN


def test_secrets_are_in_no_representation() -> None:
    shown = repr(Credentials(user="ann", secret="s3", identity_token="i3", registry_token="r3"))
    assert "ann" in shown
    assert not any(secret in shown for secret in ("s3", "i3", "r3"))
