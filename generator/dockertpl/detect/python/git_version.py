"""Versions that a build backend reads from Git tags, which the build context does not have."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.project import Project, requirement
from dockertpl.detect.repository import Repository, join
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import toml_line


@lru_cache(maxsize=1)
def backends() -> Mapping[str, Mapping[str, Any]]:
    """Return what data/backends.toml says of each backend and plugin."""
    return tomllib.loads((Path(__file__).parent / "data" / "backends.toml").read_text("utf-8"))


def find_git_version(project: Project, found: Detection, packages: Sequence[str]) -> None:
    """Answer `version_from_git` where something that the image installs takes its version from Git.

    Args:
        project: The application's folder.
        found: Where the answer goes; it tells the layout.
        packages: The members of the workspace that the application depends on.
    """
    layout = project.given.get("layout", found.answers.get("layout"))
    for folder in [*([project.app_dir] if layout == "package" else []), *packages]:
        if used := _backend(project.repository, folder):
            name, line = used
            path = join(folder, "pyproject.toml")
            found.answer("version_from_git", backends()[name]["variable"], path, line, f"{name} reads Git tags")
            return


def _backend(repository: Repository, folder: str) -> tuple[str, int | None] | None:
    """Return the plugin that reads the version of a folder's package from Git, and the line that names it."""
    path = join(folder, "pyproject.toml")
    data = repository.toml(path) or {}
    if "version" in table(data, "project"):
        return None
    for text in strings(table(data, "build-system").get("requires")):
        needed = requirement(text)
        known = backends().get(needed.name) if needed else None
        if needed and known and _is_on(data, known):
            return needed.name, toml_line(repository.text(path) or "", "build-system", "requires")
    return None


def _is_on(data: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    if "source" not in known:
        return True
    *keys, last = known["source"][0].split(".")
    return bool(table(data, *keys).get(last) == known["source"][1])
