"""Find the project of a file, and the project's Dockerfiles."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from dockertpl.detect.repository import Repository, is_within, parent

_DOCKERFILE = re.compile(r"(?:Dockerfile|Containerfile)(?:[._-][\w.-]+)?|[\w.-]+\.(?:Dockerfile|dockerfile)")


def is_dockerfile(name: str) -> bool:
    """Return whether a file is named like a Dockerfile, but not like an example."""
    return bool(_DOCKERFILE.fullmatch(name)) and not re.search(r"template|example|sample", name, re.IGNORECASE)


def project_of(path: str, projects: frozenset[str]) -> str:
    """Return the nearest project folder at or above a file. The root always is one."""
    folder = parent(path)
    while folder != "." and folder not in projects:
        folder = parent(folder)
    return folder


def concerns(path: str, app_dir: str, projects: frozenset[str]) -> bool:
    """Return whether a file is in the application's project or in a folder above it."""
    owner = project_of(path, projects)
    return owner == app_dir or (owner == "." and not is_within(app_dir, parent(path))) or is_within(app_dir, owner)


def dockerfiles_of(
    repository: Repository, app_dir: str, projects: frozenset[str], speaks_of: re.Pattern[str]
) -> list[str]:
    """Return the Dockerfiles that may be this application's, the likeliest first.

    Args:
        repository: The repository.
        app_dir: The application's folder.
        projects: All project folders.
        speaks_of: A text that a Dockerfile outside of the application's folder must have.
    """
    found = [
        path
        for path in repository.files
        if is_dockerfile(PurePosixPath(path).name)
        and concerns(path, app_dir, projects)
        and (parent(path) == app_dir or speaks_of.search(repository.text(path) or ""))
    ]
    return sorted(found, key=lambda path: (not is_within(path, app_dir), len(PurePosixPath(path).parts), path))
