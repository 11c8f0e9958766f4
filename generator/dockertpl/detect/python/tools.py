"""Which version of the manager: the template's, unless the project requires or pins another one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.python import pins
from dockertpl.detect.python.pins import Limit, Wish, where
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import join
from dockertpl.detect.tables import table
from dockertpl.detect.tomlfile import toml_line

#: What installs for each manager: a requirements file and a bare pyproject.toml are uv's work as well.
TOOLS = {"uv": "uv", "pip": "uv", "pyproject": "uv", "poetry": "poetry", "pdm": "pdm", "pipenv": "pipenv"}


@lru_cache(maxsize=1)
def known() -> Mapping[str, Mapping[str, Any]]:
    """Return what data/tools.toml says of each tool."""
    return tomllib.loads((Path(__file__).parent / "data" / "tools.toml").read_text("utf-8"))


def find_manager_version(project: Project, found: Detection, manager: str, root: str | None) -> None:
    """Answer `manager_version` if the project needs another version than the template's, or report an unknown one.

    Args:
        project: The application's folder.
        found: Where answers and warnings go.
        manager: The package manager, empty if it is not known.
        root: The root of the uv workspace that the application is a member of.
    """
    tool = TOOLS.get(manager, "")
    if not tool or "manager_version" in project.given:
        return
    limits = [limit for limit in _limits(project, tool, root) if pins.is_readable(limit, found)]
    wish = next(pins.tool_wishes(project.repository, project.app_dir, tool), None)
    asked = [*limits, *([_as_limit(wish)] if wish else [])]
    if not asked:
        return
    releases: list[str] = known()[tool]["releases"]
    older = pins.Limit((f">={releases[-1]}",), "", None, "")
    candidates = dict.fromkeys([*releases, *(version for limit in asked for version in pins.named(limit))])
    usable = [version for version in candidates if all(pins.allows(limit, version) for limit in (*limits, older))]
    if wish and (pinned := [version for version in usable if pins.allows(_as_limit(wish), version)]):
        usable = pinned
    elif wish and not limits:
        usable = []
    if not usable:
        first = asked[0]
        found.cannot_build(
            "manager_version",
            f"{where(first)} asks for {tool} {first.note}. The template has {releases[-1]} to {releases[0]}.",
            f"Change it there, or set the version of {tool} for the build: -d manager_version=…",
        )
        return
    version = pins.newest(usable)
    exact = any(specifier.startswith("==") and "*" not in specifier for one in asked for specifier in one.specifiers)
    if version != releases[0] or exact:
        place = asked[-1] if wish and pins.allows(asked[-1], version) else asked[0]
        found.answer("manager_version", version, place.path, place.line, f"{tool} {place.note}")


def newest_python(tool: str, version: str) -> str:
    """Return the newest Python that a version of a tool installs on without a compiler; empty if all do.

    Args:
        tool: The tool, such as poetry.
        version: Its version; empty for the template's.
    """
    series = known().get(tool, {}).get("pythons", {})
    limits = [python for first, python in series.items() if not version or _at_least(version, first)]
    return limits[-1] if limits else ""


def _at_least(version: str, first: str) -> bool:
    return pins.allows(Limit((f">={first}",), "", None, ""), version)


def _limits(project: Project, tool: str, root: str | None) -> Iterator[Limit]:
    if tool == "poetry":
        wanted = project.table("tool", "poetry").get("requires-poetry")
        if isinstance(wanted, str):
            line = project.line("tool", "poetry", "requires-poetry")
            yield Limit(tuple(pins.alternatives(wanted)), project.manifest, line, wanted)
    if tool != "uv":
        return
    for folder in dict.fromkeys((project.app_dir, root or project.app_dir)):
        for name, keys in (("pyproject.toml", ("tool", "uv")), ("uv.toml", ())):
            path = join(folder, name)
            wanted = table(project.repository.toml(path), *keys).get("required-version")
            if isinstance(wanted, str):
                line = toml_line(project.repository.text(path) or "", *keys, "required-version")
                specifier = wanted if not wanted[:1].isdigit() else f"=={wanted}"
                yield Limit((specifier,), path, line, wanted)


def _as_limit(wish: Wish) -> Limit:
    exact = wish.version.count(".") >= 2
    return Limit((f"=={wish.version}" if exact else f"=={wish.version}.*",), wish.path, wish.line, wish.version)
