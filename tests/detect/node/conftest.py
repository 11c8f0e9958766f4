"""Writes tiny Next.js repositories and looks at them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dockertpl.detect import Detection, NotDetectedError, look

Look = Callable[..., tuple[Detection, NotDetectedError | None]]
#: The package.json of every test application, unless a test changes it.
PACKAGE = {"name": "shop", "scripts": {"build": "next build"}, "dependencies": {"next": "16.0.0"}}
PAGE = 'import "../lib/db"\nimport "../lib/env"\nimport "../lib/mail"\n'
BASE = {"package-lock.json": '{"lockfileVersion": 3}\n', "app/page.tsx": PAGE}


@pytest.fixture
def look_at(repo: Callable[[Mapping[str, str]], Path], tmp_path: Path) -> Look:
    """`look_at({PATH: TEXT, …}, package={…}, given={…})` writes a Next.js repository and returns what is detected.

    A dictionary becomes JSON, and None leaves a file out. Each call removes the files of the one before.
    `package` is merged into package.json.
    """

    def run(
        files: Mapping[str, Any] | None = None,
        package: Mapping[str, Any] | None = None,
        given: Mapping[str, Any] | None = None,
        app_dir: str | None = None,
    ) -> tuple[Detection, NotDetectedError | None]:
        shutil.rmtree(tmp_path / "repo", ignore_errors=True)
        everything: dict[str, Any] = {"package.json": {**PACKAGE, **(package or {})}, **BASE, **(files or {})}
        texts = {
            path: json.dumps(content, indent=2) if isinstance(content, dict) else content
            for path, content in everything.items()
            if content is not None
        }
        return look(repo(texts), app_dir, given)

    return run
