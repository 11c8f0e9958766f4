"""The lock of the development environment covers the requirements of `pyproject.toml`, and names no index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements-dev.txt").read_text()
PINNED = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)[^\n]* \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.M
)
AGAIN = "run make lock"


def test_every_dependency_is_pinned_to_a_version_that_fits() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wanted += [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    versions = {match["name"]: match["version"] for match in PINNED.finditer(LOCK)}
    for requirement in map(Requirement, wanted):
        if (name := canonicalize_name(requirement.name)) != "dockertpl":
            assert requirement.specifier.contains(versions[name]), f"{requirement}: {AGAIN}"


def test_every_line_belongs_to_a_package_with_hashes() -> None:
    assert PINNED.sub("", LOCK) == ""


def test_no_address_is_in_it() -> None:
    assert re.findall(r"://|--(?:extra-)?index|--find-links", LOCK) == []
