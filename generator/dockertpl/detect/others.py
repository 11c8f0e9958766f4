"""Recognize applications that dockertpl does not support."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from dockertpl.detect.repository import Repository, is_within, join

_PYTHON = re.compile(r"(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.(?:cfg|py))")
# A package in a Python manifest: on its own line, as a key, or in quotes.
_NAMED = r"""(?im)^[\s"',\[\w=]*?(?<![\w.-]){name}(?![\w.-])\s*(?:\[[^\]]*\])?\s*(?:["'=<>~!;,]|$)"""
# Read no more of a manifest than this.
_MOST = 50


class Other(NamedTuple):
    """A framework or language, and the file and line that tell."""

    name: str
    where: str


@lru_cache(maxsize=1)
def _data() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((Path(__file__).parent / "data" / "frameworks.toml").read_text("utf-8"))


def find_other(repository: Repository, folder: str) -> Other | None:
    """Return the framework of an application that is neither FastAPI nor Next.js, or None if it is unclear."""
    files = [path for path in repository.files if is_within(path, folder)]
    files.sort(key=lambda path: len(PurePosixPath(path).parts))
    manifests = [path for path in files if _PYTHON.fullmatch(PurePosixPath(path).name)][:_MOST]
    if any(_line(repository, path, "fastapi") for path in manifests):
        return None
    for row in _data()["python"]:
        for path in manifests:
            if line := next((line for name in row["packages"] if (line := _line(repository, path, name))), 0):
                return Other(row["name"], f"{path}:{line}")
    packages = [path for path in files if PurePosixPath(path).name == "package.json"][:_MOST]
    if any(_asks_for(repository, path, "next") for path in packages):
        return None
    for row in _data()["node"]:
        for path in packages:
            if any(_asks_for(repository, path, name) for name in row["packages"]):
                return Other(row["name"], path)
    for row in _data()["other"]:
        if repository.is_file(join(folder, row["file"])):
            return Other(row["name"], join(folder, row["file"]))
    return None


def _line(repository: Repository, path: str, package: str) -> int:
    """Return the line of a package in a manifest, or 0."""
    text = repository.text(path) or ""
    if package not in text.lower():
        return 0
    match = re.search(_NAMED.replace("{name}", re.escape(package)), text)
    return text.count("\n", 0, match.end()) + (not match[0].endswith("\n")) if match else 0


def _asks_for(repository: Repository, path: str, package: str) -> bool:
    data = repository.json(path) or {}
    wanted = data.get("dependencies")
    return isinstance(wanted, dict) and package in wanted
