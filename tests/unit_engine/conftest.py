"""Fixtures of the engine module tests."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def nothing_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the sizes of layers out of the user's cache, and the user's out of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
