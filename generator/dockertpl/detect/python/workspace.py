"""uv workspaces: the root that holds the lock, the other members, and those that the application depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.globs import matches
from dockertpl.detect.python.project import Project, normalize, requirement
from dockertpl.detect.repository import Repository, is_within, join, parent, relative_to
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import toml_line


def workspace_root(repository: Repository, app_dir: str) -> str | None:
    """Return the root of a member's uv workspace, or None for other folders and the root."""
    folder = app_dir
    while folder != ".":
        folder = parent(folder)
        if app_dir in members(repository, folder):
            return folder
    return None


def members(repository: Repository, root: str) -> list[str]:
    """Return the members of the workspace at `root`, without the root, relative to the repository root."""
    manifest = join(root, "pyproject.toml")
    if not repository.is_file(manifest) or "workspace" not in (repository.text(manifest) or ""):
        return []
    declared = table(repository.toml(manifest), "tool", "uv", "workspace")
    wanted, excluded = strings(declared.get("members")), strings(declared.get("exclude"))
    found = []
    for path in repository.files:
        folder = parent(path)
        if path == join(folder, "pyproject.toml") and folder != root and is_within(folder, root):
            inside = relative_to(folder, root)
            if matches(inside, wanted) and not matches(inside, excluded):
                found.append(folder)
    return found


def find_workspace(project: Project, found: Detection, root: str) -> None:
    """Answer `context`, `workspace_members` and `workspace_packages` for a member of a uv workspace.

    Args:
        project: The application's folder.
        found: Where answers go.
        root: The workspace's root.

    Raises:
        BadInputError: A member's pyproject.toml is not valid TOML.
    """
    repository = project.repository
    manifest = join(root, "pyproject.toml")
    line = toml_line(repository.text(manifest) or "", "tool", "uv", "workspace", "members")
    if root != ".":
        found.cannot_build(
            "context",
            f"{project.app_dir} is a member of the workspace in {root}, which is not the repository root.",
            f"Make {root} a separate repository, or move the workspace to the root.",
        )
        return
    everyone = members(repository, root)
    others = [folder for folder in everyone if folder != project.app_dir]
    found.answer("context", ".", manifest, line, "a member of the uv workspace with the lock at the root")
    found.answer("workspace_members", others, manifest, line, "")
    names = {member_name(repository, folder): folder for folder in everyone}
    needed = _needed(repository, project.app_dir, names, root)
    found.answer("workspace_packages", sorted(needed), project.manifest, project.line("project", "dependencies"), "")


def member_name(repository: Repository, folder: str) -> str:
    """Return the normal name of the distribution in a folder, empty if its pyproject.toml names none."""
    name = table(repository.toml(join(folder, "pyproject.toml")), "project").get("name")
    return normalize(name) if isinstance(name, str) else ""


def _needed(repository: Repository, app_dir: str, names: Mapping[str, str], root: str) -> set[str]:
    """Return the members that the application depends on, also through one another."""
    shared = table(repository.toml(join(root, "pyproject.toml")), "tool", "uv", "sources")
    needed: set[str] = set()
    waiting = [app_dir]
    while waiting:
        data = repository.toml(join(waiting.pop(), "pyproject.toml")) or {}
        sources: dict[str, Any] = {**shared, **table(data, "tool", "uv", "sources")}
        local = {normalize(name) for name, source in sources.items() if table(source).get("workspace") is True}
        for text in strings(table(data, "project").get("dependencies")):
            wanted = requirement(text)
            folder = names.get(wanted.name) if wanted and wanted.name in local else None
            if folder and folder != app_dir and folder not in needed:
                needed.add(folder)
                waiting.append(folder)
    return needed
