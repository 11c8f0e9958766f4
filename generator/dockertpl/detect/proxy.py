"""Detect whether builds run behind a proxy, with mirrors or a custom CA."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.repository import Repository, join

#: Set this variable to 1 to ignore the machine's settings.
IGNORE_MACHINE = "DOCKERTPL_IGNORE_MACHINE"
# The most bytes to read of a configuration file.
_MAX_BYTES = 1 << 16


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "proxy.toml").read_text("utf-8"))


def find_proxy(repository: Repository, found: Detection, folder: str | None) -> None:
    """Answer `behind_proxy` with yes if a setting shows a proxy, mirror or CA.

    Args:
        repository: The repository.
        found: The facts so far.
        folder: The application's folder, or None if it was not found.
    """
    for path, line in _in_repository(repository, folder or "."):
        found.answer("behind_proxy", True, path, line, "a proxy or a CA")
        return
    if os.environ.get(IGNORE_MACHINE) != "1" and (what := next(_on_machine(os.environ, Path.home()), "")):
        found.answer("behind_proxy", True, note=what)


def _in_repository(repository: Repository, folder: str) -> Iterator[tuple[str, int]]:
    for place in dict.fromkeys((folder, ".")):
        for name, pattern in _data()["repository"].items():
            path = join(place, name)
            text = repository.text(path) if repository.is_file(path) else None
            for number, line in enumerate((text or "").splitlines(), 1):
                if re.search(pattern, line[:4096]):
                    yield path, number


def _on_machine(environ: Mapping[str, str], home: Path) -> Iterator[str]:
    """Yield the machine's settings for a proxy, mirror or CA, as evidence."""
    for name in _data()["variables"]:
        if environ.get(name) or environ.get(name.lower()):
            yield f"{name} is set on this machine"
    for name, pattern in _data()["machine"].items():
        if re.search(pattern, _text(home / name), re.MULTILINE):
            yield f"{name if name.startswith('/') else f'~/{name}'} on this machine"
    for folder in _data()["certificates"]:
        if any(Path(folder).glob("**/*.crt")) or any(Path(folder).glob("**/*.pem")):
            yield f"certificates in {folder} on this machine"


def _text(path: Path) -> str:
    """Return the start of a regular file, or nothing."""
    try:
        if not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""
