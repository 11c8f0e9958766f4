"""Writes tiny repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"


@pytest.fixture
def repo(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """`repo({PATH: TEXT, …})` writes the files into a repository and returns its root."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "repo"
        (root / ".git").mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(dedent(text))
        return root

    return write
