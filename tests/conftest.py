"""Fixtures that tests of several packages share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Make `tests.NAME` importable however pytest was started.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests import compiled  # noqa: E402 - found by the line above
from tests.registry.server import FakeRegistry, running  # noqa: E402 - found by the line above

# A proxy or a CA of this machine must not change what is rendered.
os.environ["DOCKERTPL_IGNORE_MACHINE"] = "1"
compiled.once()


def pytest_configure() -> None:
    """Let Ctrl-C end the children of tests. A background job of a shell ignores it, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, so no worker ends with one of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep your own Git settings out of the tests. Inside a hook, for example, Git exports GIT_DIR."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.invalid")


@pytest.fixture
def git() -> Callable[..., str]:
    """`git(FOLDER, ARGUMENT, …)` runs git and returns what it printed."""

    def run(directory: Path, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def write_files() -> Callable[[Path, Mapping[str, str]], Path]:
    """`write_files(FOLDER, {PATH: TEXT})` writes text files and returns the folder."""

    def write(directory: Path, files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return directory

    return write


@pytest.fixture
def fake_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeRegistry]:
    """An image registry in this process. Docker's configuration is empty, and no proxy is set."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker-config"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with running() as registry:
        yield registry
