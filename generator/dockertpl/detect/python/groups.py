"""Dependency groups that production needs: by the manager's own defaults, without those named after development."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from dockertpl.detect.python.conventions import DEVELOPMENT_WORDS
from dockertpl.detect.python.project import Dependency, Project, normalise, poetry_dependency, requirement
from dockertpl.detect.tables import strings, table


def is_for_development(name: str) -> bool:
    """Tell whether the name of a group or an extra means development: dev, unit-tests, docs."""
    normal = normalise(name)
    return normal in DEVELOPMENT_WORDS or not DEVELOPMENT_WORDS.isdisjoint(normal.split("-"))


def production_groups(data: dict[str, Any], manager: str) -> list[str]:
    """Return the dependency groups that the manager installs unasked and whose names do not mean development.

    Args:
        data: What pyproject.toml holds.
        manager: The package manager.
    """
    names: Collection[str] = ()
    if manager == "poetry":
        groups = table(data, "tool", "poetry", "group")
        names = [name for name, group in groups.items() if table(group).get("optional") is not True]
    elif manager == "uv":
        defaults = table(data, "tool", "uv").get("default-groups")
        names = list(table(data, "dependency-groups")) if defaults == "all" else strings(defaults)
    return [name for name in names if not is_for_development(name)]


def in_production_groups(project: Project, manager: str) -> Iterator[Dependency]:
    """Yield what these groups ask for, or those that are given."""
    given = project.given.get("groups")
    for group in production_groups(project.data, manager) if given is None else strings(given):
        for name, wanted in project.table("tool", "poetry", "group", group, "dependencies").items():
            yield poetry_dependency(name, wanted, project.manifest)
        for text in strings(project.table("dependency-groups").get(group)):
            if found := requirement(text):
                yield found
