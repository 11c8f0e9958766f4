"""Which optional dependencies production needs: the extras and groups that bring what serves the application."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.groups import is_for_development, offered_groups, production_groups
from dockertpl.detect.python.lock import Production
from dockertpl.detect.python.project import Dependency, Project
from dockertpl.detect.python.server import FRAMEWORKS, servers


def choose(adds: Mapping[str, Sequence[Dependency]], locked: Production, wanted: str = "") -> list[str]:
    """Return the extras or groups that bring what production lacks, as few as possible.

    Args:
        adds: What each of them adds. Those that are named after development are left out.
        locked: What production installs without them.
        wanted: The server that starts the application now, empty if none is named.
    """
    have = servers(locked.packages, locked.direct)
    lacking = set() if FRAMEWORKS & set(locked.packages) else {"framework"}
    lacking |= set() if have else {"server"}
    lacking |= {wanted} if wanted and wanted not in have else set()
    brings = {
        name: found
        for name, needs in adds.items()
        if not is_for_development(name) and (found := _brings(needs) & lacking)
    }
    chosen: list[str] = []
    while brings and lacking:
        # Of two that bring the same, the one that brings little else.
        name = max(brings, key=lambda each: (len(brings[each] & lacking), -len(adds[each])))
        if not brings[name] & lacking:
            break
        chosen.append(name)
        lacking -= brings.pop(name)
    return sorted(chosen)


def _brings(needs: Collection[Dependency]) -> set[str]:
    by_name = {need.name: need for need in needs}
    have = servers(by_name, by_name)
    return ({"framework"} if FRAMEWORKS & set(by_name) else set()) | ({"server", *have} if have else set())


def find_serving_groups(
    project: Project, found: Detection, manager: str, locked: Production, wanted: str = ""
) -> tuple[Dependency, ...]:
    """Answer `groups` where a group that is not installed unasked brings the framework or the server.

    Args:
        project: The application's folder; its `given` may name the groups.
        found: Where the answer goes.
        manager: The package manager.
        locked: What production installs without them.
        wanted: The server that starts the application now, empty if none is named.

    Returns:
        The dependencies that the groups add.
    """
    if project.given.get("groups") is not None or manager not in ("uv", "poetry", "pdm", "pyproject"):
        return ()
    usual = production_groups(project.data, manager)
    adds = {name: needs for name, needs in offered_groups(project).items() if name not in usual}
    chosen = choose(adds, locked, wanted)
    if chosen:
        first = chosen[0]
        line = project.line("dependency-groups", first) or project.line("tool", "poetry", "group", first)
        found.answer("groups", [*usual, *chosen], project.manifest, line, "has the application's server or framework")
    return tuple(one for name in chosen for one in adds[name])
