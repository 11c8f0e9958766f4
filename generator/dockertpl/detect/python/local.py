"""Packages of the repository itself that production installs: by path, as a workspace member, or as `-e .`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.groups import production_groups
from dockertpl.detect.python.project import Project, normalize, requirement
from dockertpl.detect.python.workspace import member_name, members
from dockertpl.detect.repository import Repository, clean, is_within, join, parent, relative_to
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import toml_line

_LOCAL = re.compile(
    r"(?:(?:-e|--editable)[ =]+|[\w.-]+(?:\[[\w.,-]*\])? *@ *)?(?:file:(?:///\$\{PROJECT_ROOT\}/)?)?(\.{0,2}[\w./-]*)(\[[\w.,\s-]*\])?"
)


_ARCHIVES = (".whl", ".gz", ".zip")
_LINKS = re.compile(r"(?:-f|--find-links)[ =]+(?:file:)?(\.{0,2}[\w./-]+)")


@dataclass(frozen=True, kw_only=True)
class Local:
    """A package of the repository.

    Attributes:
        folder: Its folder, from the repository's root; "" if it is outside of the repository.
        written: Its path as it is written.
        path: The file that asks for it.
        line: The line there.
        text: The whole line, for a requirements file.
    """

    folder: str
    written: str
    path: str
    line: int | None
    text: str = ""


def find_local_packages(
    project: Project, found: Detection, manager: str, requirements_file: str, root: str | None, context: str
) -> None:
    """Answer `local_packages`, `requirements_self` and, for the root of a uv workspace, `workspace_members`.

    For packages beside the application's folder, `context` and `own_lock` as well.

    Args:
        project: The application's folder.
        found: Where answers go.
        manager: The package manager.
        requirements_file: For pip, the requirements file, from the repository's root.
        root: The root of the uv workspace that the application is a member of.
        context: The build context.
    """
    repository = project.repository
    locals_ = list(_pip(project, requirements_file) if manager == "pip" else _declared(project, manager))
    locals_ = [one for one in locals_ if not one.written.endswith(_ARCHIVES)]
    itself = [one for one in locals_ if one.folder == project.app_dir]
    if itself and manager == "pip":
        found.answer("requirements_self", itself[0].text, itself[0].path, itself[0].line, "the project itself")
        if not project.table("project"):
            found.cannot_build(
                "requirements_self",
                f"{itself[0].path}:{itself[0].line} installs the project, but no pyproject.toml lists its "
                "dependencies.",
                f"Add its dependencies to {itself[0].path}, and remove the line.",
            )
    elif itself:
        found.cannot_build(
            "local_packages",
            f"{itself[0].path}:{itself[0].line} installs the project as a dependency of itself.",
            "Remove the entry: the image installs the project anyway.",
        )
    is_inside = all(one.folder and one.folder != "." for one in locals_)
    outside = next((one for one in locals_ if not is_within(one.folder, context)), None)
    if manager == "uv" and root is None and outside and is_inside and "context" not in project.given:
        # The lock stays with the application, and the packages beside it keep their places.
        context = "."
        note = f"depends on {outside.folder}, which is outside of {project.app_dir}"
        found.answer("context", context, outside.path, outside.line, note)
    if manager == "uv" and root is None and context != project.app_dir:
        found.answer("own_lock", True, project.at("uv.lock"), None, "")
    folders: dict[str, Local] = {}
    for one in locals_:
        if one.folder == project.app_dir:
            continue
        if not one.folder or not is_within(one.folder, context):
            found.cannot_build(
                "local_packages",
                f"{one.path}:{one.line} uses a package from {one.written}, which is outside of the build context "
                f"({context}).",
                "Move it into the build context, publish it, or make both members of a uv workspace at the "
                "repository's root.",
            )
            return
        folders.setdefault(relative_to(one.folder, context), one)
    known = set(found.answers.get("workspace_packages", ()))
    if names := [folder for folder in folders if folder not in known]:
        first = folders[names[0]]
        found.answer("local_packages", sorted(names), first.path, first.line, "")
    if manager == "uv" and root is None and (own := members(repository, project.app_dir)):
        line = project.line("tool", "uv", "workspace", "members")
        others = [relative_to(folder, project.app_dir) for folder in own]
        found.answer("workspace_members", others, project.manifest, line, "the lock covers them")


def find_local_files(
    project: Project, found: Detection, manager: str, requirements: tuple[str, ...], context: str
) -> None:
    """Answer `install_files` with the wheels, archives and folders of them that an installation takes packages from.

    Args:
        project: The application's folder.
        found: Where the answer goes.
        manager: The package manager.
        requirements: For pip, the requirements files, from the repository's root.
        context: The build context.
    """
    places = _archives(project, requirements) if manager == "pip" else _declared_archives(project, manager)
    files: dict[str, tuple[str, int | None]] = {}
    for written, path, line in places:
        place = clean(join(project.app_dir, written)) if not written.startswith("/") and len(written) <= 1024 else None
        there = place is not None and (project.repository.is_file(place) or project.repository.is_dir(place))
        if place is not None and place != context and there and is_within(place, context):
            files.setdefault(relative_to(place, context), (path, line))
        else:
            found.cannot_build(
                "install_files",
                f"{path}:{line} uses a package from {written}, which is not in the build context ({context}).",
                f"Commit it below {project.app_dir}, or publish the package.",
            )
            return
    if files:
        first, *_ = files
        found.answer("install_files", sorted(files), *files[first], "packages are installed from there")


def _archives(project: Project, files: tuple[str, ...]) -> Iterator[tuple[str, str, int | None]]:
    """Yield what requirements files name: (path as it is written, file, line)."""
    included = (path for file in files for path in project.includes(file))
    for file in dict.fromkeys([*files, *included]):
        for number, line in enumerate((project.repository.text(file) or "").splitlines(), 1):
            text = line.partition(" #")[0].partition(" ;")[0].partition(" --hash")[0].strip()
            match = (_LOCAL.fullmatch(text) or _LINKS.fullmatch(text)) if len(text) <= 1024 else None
            if match and match[1].endswith(_ARCHIVES):
                yield match[1], file, number
            elif match and text.startswith(("-f", "--find-links")):
                # Relative to the file where the folder is there, else to where pip runs.
                beside = join(parent(file), match[1])
                is_beside = is_within(beside, project.app_dir) and project.repository.is_dir(beside)
                yield relative_to(beside, project.app_dir) if is_beside else match[1], file, number


def _declared_archives(project: Project, manager: str) -> Iterator[tuple[str, str, int | None]]:
    """Yield what a manifest names: (path as it is written, file, line)."""
    for one in _declared(project, manager):
        if one.written.endswith(_ARCHIVES):
            yield one.written, one.path, one.line
    if manager == "uv":
        for written in strings(project.table("tool", "uv").get("find-links")):
            if "://" not in written:
                yield written, project.manifest, project.line("tool", "uv", "find-links")


def _resolved(repository: Repository, base: str, written: str) -> str:
    """Return the folder that a path means, from the repository's root; "" if it is not a folder of the repository."""
    if written.startswith("/") or len(written) > 1024:
        return ""
    parts: list[str] = [] if base == "." else base.split("/")
    for part in PurePosixPath(written).parts:
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part != ".":
            parts.append(part)
    folder = "/".join(parts) or "."
    return folder if repository.is_dir(folder) else ""


def _pip(project: Project, file: str, seen: tuple[str, ...] = ()) -> Iterator[Local]:
    """Yield what a requirements file takes from the repository. pip reads paths relative to its working directory."""
    repository = project.repository
    if file in seen or len(seen) > 10:
        return
    for number, line in enumerate((repository.text(file) or "").splitlines(), 1):
        text = line.partition(" #")[0].partition(" ;")[0].strip()
        match = _LOCAL.fullmatch(text) if len(text) <= 1024 else None
        if match and ("/" in match[1] or match[1] == "."):
            folder = _resolved(repository, project.app_dir, match[1])
            is_path = text.startswith(("-e", "--editable", ".", "file:")) or "@" in text or bool(folder)
            if is_path and not match[1].endswith(_ARCHIVES):
                yield Local(folder=folder, written=match[1], path=file, line=number, text=line.strip())
    for included in project.includes(file):
        yield from _pip(project, included, (*seen, file))


def _declared(project: Project, manager: str) -> Iterator[Local]:
    """Yield what the manifest takes from the repository, and what these packages take from it."""
    repository = project.repository
    if manager == "pipenv":
        path = project.at("Pipfile")
        for name, wanted in table(repository.toml(path), "packages").items():
            if isinstance(written := table(wanted).get("path"), str):
                line = toml_line(repository.text(path) or "", "packages", name)
                yield Local(
                    folder=_resolved(repository, project.app_dir, written), written=written, path=path, line=line
                )
        return
    by_name = {member_name(repository, folder): folder for folder in members(repository, project.app_dir)}
    waiting, done = [project.app_dir], {project.app_dir}
    while waiting:
        folder = waiting.pop()
        for one in _of_manifest(repository, folder, by_name):
            yield one
            if one.folder and one.folder not in done:
                done.add(one.folder)
                waiting.append(one.folder)


def _of_manifest(repository: Repository, folder: str, by_name: dict[str, str]) -> Iterator[Local]:
    path = join(folder, "pyproject.toml")
    if not repository.is_file(path):
        return
    data = repository.toml(path) or {}
    text = repository.text(path) or ""
    project = table(data, "project")
    wanted = {found.name for item in strings(project.get("dependencies")) if (found := requirement(item))}

    def local(written: str, *keys: str) -> Local:
        return Local(
            folder=_resolved(repository, folder, written), written=written, path=path, line=toml_line(text, *keys)
        )

    for name, source in table(data, "tool", "uv", "sources").items():
        if normalize(name) not in wanted:
            continue
        # A list has one source for each marker.
        for details in map(table, source if isinstance(source, list) else [source]):
            if isinstance(details.get("path"), str):
                yield local(details["path"], "tool", "uv", "sources", name)
            elif details.get("workspace") is True and normalize(name) in by_name:
                inside = by_name[normalize(name)]
                line = toml_line(text, "tool", "uv", "sources", name)
                yield Local(folder=inside, written=inside, path=path, line=line)
    for keys in _poetry_tables(data):
        for name, source in table(data, *keys).items():
            if isinstance(written := table(source).get("path"), str):
                yield local(written, *keys, name)
    for item in strings(project.get("dependencies")):
        match = _LOCAL.fullmatch(item.partition(" ;")[0].strip()) if "file:" in item and len(item) <= 1024 else None
        if match:
            yield local(match[1].lstrip("/"), "project", "dependencies")


def _poetry_tables(data: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield ("tool", "poetry", "dependencies")
    for group in production_groups(data, "poetry"):
        yield ("tool", "poetry", "group", group, "dependencies")
