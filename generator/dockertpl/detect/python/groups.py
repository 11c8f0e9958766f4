"""Dependency groups that production needs: by the manager's own defaults, without those named after development."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from dockertpl.detect.python.conventions import DEVELOPMENT_WORDS
from dockertpl.detect.python.project import Dependency, Project, normalize, poetry_dependency, requirement
from dockertpl.detect.tables import strings, table


def is_for_development(name: str) -> bool:
    """Tell whether the name of a group or an extra means development: dev, unit-tests, docs."""
    normal = normalize(name)
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
        yield from in_group(project, group)


def offered_groups(project: Project) -> dict[str, tuple[Dependency, ...]]:
    """Return the dependencies of each group, from PEP 735, Poetry, and the older tables for dev."""
    tables = (
        ("dependency-groups",),
        ("tool", "poetry", "group"),
        ("tool", "pdm", "dev-dependencies"),
    )
    names = [name for keys in tables for name in project.table(*keys)]
    if project.table("tool", "poetry", "dev-dependencies") or "dev-dependencies" in project.table("tool", "uv"):
        names.append("dev")
    return {name: tuple(in_group(project, name)) for name in dict.fromkeys(names)}


def in_group(project: Project, group: str, seen: tuple[str, ...] = ()) -> Iterator[Dependency]:
    """Yield what one dependency group asks for, with the groups that it includes.

    Args:
        project: The application's folder.
        group: The group's name.
        seen: The groups that include it.
    """
    if group in seen:
        return
    for name, wanted in project.table("tool", "poetry", "group", group, "dependencies").items():
        yield poetry_dependency(name, wanted, project.manifest)
    entries = project.table("dependency-groups").get(group)
    older = project.table("tool", "pdm", "dev-dependencies").get(group)
    uvs = project.table("tool", "uv").get("dev-dependencies") if group == "dev" else None
    for text in [*strings(entries), *strings(older), *strings(uvs)]:
        if found := requirement(text):
            yield replace(found, path=project.manifest)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(included := table(entry).get("include-group"), str):
            yield from in_group(project, included, (*seen, group))
    for name, wanted in project.table("tool", "poetry", "dev-dependencies").items() if group == "dev" else ():
        yield poetry_dependency(name, wanted, project.manifest)
