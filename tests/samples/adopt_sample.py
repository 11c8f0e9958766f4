"""Applications of the samples, each with a Dockerfile as it is found: what `adopt` is tried on."""

from __future__ import annotations

import functools
import shutil
import tomllib
from pathlib import Path
from typing import Any

import yaml

from . import next_sample, sample

HERE = Path(__file__).parent / "adopt"
#: A lock by which detection tells the manager, and that installs nothing.
EMPTY_LOCKS = {
    "poetry": ("poetry.lock", '[metadata]\nlock-version = "2.1"\n'),
    "npm": ("package-lock.json", '{"lockfileVersion": 3, "packages": {}}\n'),
    "pnpm": ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
}


@functools.cache
def catalog() -> dict[str, dict[str, Any]]:
    """Return what adopt.toml says of each sample."""
    return tomllib.loads((HERE / "adopt.toml").read_text())


def old_dockerfile(name: str) -> str:
    """Return a sample's Dockerfile, with the version of uv that the tests' stand-in has."""
    versions = yaml.safe_load(sample.VERSIONS.read_text())
    return (HERE / name / "Dockerfile").read_text().replace("{uv}", versions["uv"])


def old_ignore(name: str) -> str | None:
    """Return a sample's ignore file, if it has one."""
    path = HERE / name / "dockerignore"
    return path.read_text() if path.exists() else None


def write_adopt_sample(folder: Path, name: str, *, lock: bool = True) -> Path:
    """Write a repository with an application and its old Dockerfile.

    Args:
        folder: The repository's root, which is made and has to be empty.
        name: A key of adopt.toml.
        lock: Whether to write the real lock, which needs the network once, and not an empty one.

    Returns:
        The application's folder.
    """
    row = catalog()[name]
    write = sample.write_sample if row["kind"] == "python-fastapi" else next_sample.write_next_sample
    app_dir = write(folder, lock=lock, **row["writes"])
    if not lock and (empty := EMPTY_LOCKS.get(row["writes"]["manager"])):
        (app_dir / empty[0]).write_text(empty[1])
    if (HERE / name / "files").is_dir():
        shutil.copytree(HERE / name / "files", app_dir, dirs_exist_ok=True)
    (app_dir / "Dockerfile").write_text(old_dockerfile(name))
    if (ignore := old_ignore(name)) is not None:
        (app_dir / ".dockerignore").write_text(ignore)
    return app_dir
