"""Detection finds a proxy in the repository or on the machine. It reports the place and never the value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import proxy
from dockertpl.detect.facts import Detection
from dockertpl.detect.proxy import IGNORE_MACHINE, find_proxy
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without proxy settings. Its home folder is the returned path."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv(IGNORE_MACHINE)
    for name in proxy._data()["variables"]:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setitem(proxy._data(), "certificates", [str(folder / "certificates")])
    monkeypatch.setitem(proxy._data()["machine"], "/etc/pip.conf", "(?!)")
    return folder


def _find(root: Path, folder: str = ".") -> Detection:
    found = Detection()
    find_proxy(Repository(root), found, folder)
    return found


def test_nothing_is_answered_where_nothing_says_so(repo: Repo) -> None:
    files = {".npmrc": "registry=https://npm.example.com/\n", "Dockerfile": "FROM python:3.13\nENV PORT=80\n"}
    assert _find(repo(files)).answers == {}


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        (".npmrc", "save-exact=true\ncafile=certs/acme.pem\n", 2),
        ("pip.conf", "[global]\nproxy = http://proxy:3128\n", 2),
        ("Dockerfile", "FROM node:24\nCOPY acme.crt /usr/local/share/\nRUN update-ca-certificates\n", 3),
        ("services/api/Dockerfile", "FROM python:3.13\nARG HTTPS_PROXY\n", 2),
    ],
)
def test_a_file_of_the_repository_is_named_with_its_line(path: str, text: str, line: int, repo: Repo) -> None:
    found = _find(repo({path: text}), "services/api")
    assert found.answers == {"behind_proxy": True}
    assert (found.evidence["behind_proxy"].path, found.evidence["behind_proxy"].line) == (path, line)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "PIP_CERT", "NPM_CONFIG_REGISTRY"])
def test_a_variable_of_the_machine_is_named_without_its_value(
    name: str, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://user:secret@proxy.example.com")
    found = _find(repo({}))
    assert found.answers == {"behind_proxy": True}
    assert found.evidence["behind_proxy"].note == f"{name.upper()} is set on this machine"


@pytest.mark.parametrize(
    ("path", "text", "note"),
    [
        (".docker/config.json", '{"proxies": {"default": {"httpProxy": "http://p"}}}', "~/.docker/config.json"),
        (".npmrc", "https-proxy=http://p\n", "~/.npmrc"),
        ("certificates/acme.crt", "x", "certificates in {home}/certificates"),
    ],
)
def test_a_file_of_the_machine_is_named(path: str, text: str, note: str, repo: Repo, home: Path) -> None:
    (home / path).parent.mkdir(exist_ok=True)
    (home / path).write_text(text)
    assert _find(repo({})).evidence["behind_proxy"].note == f"{note.format(home=home)} on this machine"


def test_the_machine_is_left_out_where_that_is_asked_for(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")
    monkeypatch.setenv(IGNORE_MACHINE, "1")
    assert _find(repo({})).answers == {}
