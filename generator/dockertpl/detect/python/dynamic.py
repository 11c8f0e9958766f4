"""What a build backend reads from files: a manifest says `dynamic`, and the backend's table names where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import is_within, relative_to
from dockertpl.detect.tables import strings

_DEPENDENCIES = ("dependencies", "optional-dependencies")


def is_dynamic(project: Project, *names: str) -> bool:
    """Tell whether the build works one of these fields out: `dependencies` if none is named."""
    return bool(set(names or _DEPENDENCIES[:1]) & set(strings(project.table("project").get("dynamic"))))


def requirements_files(project: Project) -> list[str]:
    """Return the requirements files that the dependencies are read from, relative to the repository's root."""
    if not is_dynamic(project):
        return []
    names = [
        *_named(project.table("tool", "setuptools", "dynamic", "dependencies"), "file"),
        *_named(project.table("tool", "hatch", "metadata", "hooks", "requirements_txt"), "files"),
    ]
    if not names and "requirements_txt" in project.table("tool", "hatch", "metadata", "hooks"):
        names = ["requirements.txt"]
    return _there(project, names)


def find_install_files(project: Project, found: Detection, manager: str, context: str) -> None:
    """Answer `install_files`: what uv reads to check a lock whose dependencies come from the build.

    Args:
        project: The application's folder.
        found: Where the answer goes.
        manager: The package manager. The others only check the manifest, or install the files.
        context: The build context.
    """
    if manager != "uv" or not is_dynamic(project, *_DEPENDENCIES):
        return
    files = [*requirements_files(project), *_there(project, [*_optional(project), *_version(project)])]
    for file in list(files):
        files += [path for path in project.includes(file) if project.repository.is_file(path)]
    names = sorted({relative_to(path, context) for path in files if is_within(path, context)})
    if names:
        line = project.line("project", "dynamic")
        before = found.answers.get("install_files", [])
        names = sorted({*before, *names})
        found.answer("install_files", names, project.manifest, line, "the build reads dependencies from it")


def _optional(project: Project) -> Iterator[str]:
    extras = project.table("tool", "setuptools", "dynamic", "optional-dependencies")
    for extra in extras:
        yield from _named(project.table("tool", "setuptools", "dynamic", "optional-dependencies", extra), "file")


def _version(project: Project) -> Iterator[str]:
    """Yield the files that a version may be read from: the build that tells the dependencies tells it as well."""
    if not is_dynamic(project, "version"):
        return
    version = project.table("tool", "setuptools", "dynamic", "version")
    yield from _named(version, "file")
    if isinstance(attribute := version.get("attr"), str):
        module = attribute.rpartition(".")[0].replace(".", "/")
        yield from (f"{base}{module}{end}" for base in ("", "src/") for end in (".py", "/__init__.py"))
    yield from _named(project.table("tool", "hatch", "version"), "path")


def _named(settings: dict[str, Any], key: str) -> list[str]:
    value = settings.get(key)
    return [value] if isinstance(value, str) else strings(value)


def _there(project: Project, names: list[str]) -> list[str]:
    safe = [name for name in names if name and not name.startswith("/") and ".." not in name.split("/")]
    return [project.at(name) for name in safe if project.has(name)]
