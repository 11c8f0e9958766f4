"""Workspaces of npm, pnpm, Yarn, Bun and Nx: members, those the application is made of, shared files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from dockertpl.detect.conventions import IGNORED_FOLDERS as USUALLY_IGNORED
from dockertpl.detect.facts import Detection
from dockertpl.detect.globs import matches
from dockertpl.detect.node.conventions import SOURCES, WORKSPACE_FILES
from dockertpl.detect.node.locks import Lock, locked
from dockertpl.detect.node.modules import IMPORT, PATHS
from dockertpl.detect.node.package import TABLES, Package
from dockertpl.detect.node.ranges import spans, version
from dockertpl.detect.repository import Repository, is_within, join, parent, relative_to
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import line_of
from dockertpl.detect.yamlfile import load_yaml
from dockertpl.errors import BadInputError, NotDetectedError

_EXTENDS = re.compile(r"\"extends\"\s*:\s*(\"[^\"\n]+\"|\[[^\]]*\])")
_BY_PATH = re.compile(r"(?:file|link|portal):(?!//)(.+)|(\.{1,2}/.+)")
_DEEPEST = 10
#: The first Turborepo that knows --env-mode.
ENV_MODE = (1, 10, 0)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A workspace.

    Attributes:
        root: Its root, relative to the repository root.
        path: The file that declares it, or an empty string.
        line: The line there.
        members: The folders of its members, without the root.
        packages: Those that the application is made of, each after those that it depends on itself.
        context: The build context, where it is not the root.
    """

    root: str
    path: str
    line: int | None
    members: tuple[str, ...]
    packages: tuple[str, ...] = ()
    context: str = ""

    @property
    def seen_from(self) -> str:
        """Return the build context: the root, unless dependencies lie outside of it."""
        return self.context or self.root


def globs(repository: Repository, root: str) -> tuple[list[str], str, int | None]:
    """Return the patterns with which a folder declares a workspace, the file and the line; none if it does not.

    Raises:
        BadInputError: The file is not valid.
    """
    path = join(root, "pnpm-workspace.yaml")
    if text := repository.text(path):
        try:
            data = load_yaml(text)
        except ValueError as error:
            where = re.search(r"line (\d+)", str(error))
            raise BadInputError(
                f"{path}{':' + where[1] if where else ''} is not valid YAML.", "Repair the file; nothing was changed."
            ) from None
        if found := strings(table(data).get("packages")):
            return found, path, line_of(text, r"^packages\s*:")
    package = Package(repository, root)
    declared = package.data.get("workspaces")
    found = strings(declared) or strings(table(declared).get("packages"))
    return found, package.path, package.line("workspaces") if found else None


def members(repository: Repository, root: str) -> tuple[list[str], str, int | None]:
    """Return the members of the workspace that a folder declares, the file and the line.

    Raises:
        BadInputError: The file is not valid.
    """
    patterns, path, line = globs(repository, root)
    wanted = [_clean(pattern) for pattern in patterns if not pattern.startswith("!")]
    without = [_clean(pattern[1:]) for pattern in patterns if pattern.startswith("!")]
    folders = {parent(file) for file in repository.files if PurePosixPath(file).name == "package.json"}
    # A member may be called as a folder that is never read otherwise, such as packages/vendor.
    for above in {parent(folder) for folder in folders} | {join(root, one.rstrip("/*")) for one in wanted if one}:
        folders |= {
            join(above, name)
            for name in (USUALLY_IGNORED - {"node_modules"})
            if repository.is_file(join(above, name, "package.json"))
        }
    found = []
    for folder in sorted(folders):
        if folder != root and is_within(folder, root):
            inside = relative_to(folder, root)
            if matches(inside, wanted) and not matches(inside, without):
                found.append(folder)
    return found, path, line


def _clean(pattern: str) -> str:
    return pattern.removeprefix("./").rstrip("/")


def find_workspace(package: Package, found: Detection, lock: Lock) -> Workspace:
    """Answer `context` and, for a member, what the workspace is; return it.

    Args:
        package: The application's folder.
        found: Where answers go.
        lock: The lock.

    Raises:
        NotDetectedError: The lock lies above the application, and does not cover it.
        BadInputError: A file is not valid.
    """
    repository = package.repository
    everyone, path, line = members(repository, lock.folder)
    others = tuple(folder for folder in everyone if folder != package.folder)
    nx = repository.is_file(join(lock.folder, "nx.json"))
    if lock.folder == package.folder:
        context = _of_siblings(package, found, others)
        return Workspace(root=lock.folder, path=path, line=line, members=others, context=context)
    if package.folder not in everyone and not nx:
        raise NotDetectedError(
            f"{package.folder} has no lock, and {lock.path} does not cover it: it is not a member of the workspace"
            + (f" in {path}:{line}." if line else "."),
            f"Add {relative_to(package.folder, lock.folder)} to the workspace in {lock.folder}, or give it its "
            "own lock.",
        )
    if lock.folder != ".":
        found.cannot_tell(
            "context",
            f"{package.folder} is a member of the workspace in {lock.folder}, which is not the repository root.",
            f"Make {lock.folder} a separate repository, or move the workspace to the root.",
        )
        return Workspace(root=lock.folder, path=path, line=line, members=others)
    where = (path, line) if line else (lock.path, None)
    found.answer("context", ".", where[0], where[1], "a member of the workspace with the lock at the root")
    found.answer("workspace_members", list(others), where[0], where[1], "")
    needed = needed_members(repository, package, others, lock.manager == "pnpm") if everyone else []
    note = ""
    if nx:
        imported = _imported(repository, package, needed)
        needed += [folder for folder in imported if folder not in needed]
        note = "imported through the paths in tsconfig" if imported else ""
    found.answer("workspace_packages", needed, package.path if package.data else lock.path, None, note)
    _tool(package, found, Package(repository, "."), lock)
    files = shared_files(repository, [package.folder, *needed])
    found.answer("workspace_files", files)
    return Workspace(root=".", path=path, line=line, members=others, packages=tuple(needed))


def siblings(repository: Repository, folders: Iterable[str]) -> dict[str, tuple[str, int | None]]:
    """Return the folders and archives that packages depend on by a relative path, also by way of one another.

    Args:
        repository: Where they are read.
        folders: The folders of the packages.

    Returns:
        For each path, relative to the repository's root, the file and line that name it.

    Raises:
        NotDetectedError: A path leads out of the repository, or nothing is there.
    """
    found: dict[str, tuple[str, int | None]] = {}
    waiting = list(folders)
    seen = set(waiting)
    while waiting:
        package = Package(repository, waiting.pop(0))
        for name, wanted in package.wants().items():
            match = _BY_PATH.fullmatch(wanted)
            if not match:
                continue
            path, line = package.place(name)
            target = resolved(package.folder, match[1] or match[2])
            if not target or not (repository.is_file(target) or repository.is_dir(target)):
                outside = "which is not in the repository" if target else "outside of the repository"
                raise NotDetectedError(
                    f"{path}:{line} depends on {wanted}, {outside}: no build can install it.",
                    "Add it to the repository, or depend on a published version.",
                )
            found.setdefault(target, (path, line))
            if target not in seen and repository.is_dir(target):
                seen.add(target)
                waiting.append(target)
    return found


def _of_siblings(package: Package, found: Detection, members: Sequence[str]) -> str:
    """Answer `context` where dependencies lie beside the application, and return it; empty if none do."""
    folder, repository = package.folder, package.repository
    outside = {
        path: place for path, place in siblings(repository, [folder, *members]).items() if not is_within(path, folder)
    }
    if not outside:
        return ""
    first = min(outside)
    found.answer("context", ".", *outside[first], f"depends on {first}, which is outside of {folder}")
    found.answer("own_lock", True, *outside[first], "")
    if files := sorted(extended(repository, folder) - {path for path in repository.files if is_within(path, folder)}):
        found.answer("workspace_files", files)
    return "."


def _tool(package: Package, found: Detection, root: Package, lock: Lock) -> None:
    turbo = next((name for name in ("turbo.json", "turbo.jsonc") if root.has(name)), "")
    project = package.at("project.json")
    name = package.name
    if turbo and "turbo" in root.wants():
        found.answer("workspace_tool", "turborepo", turbo, None, "")
        installed = version(locked(lock, package.repository, "turbo", root.wants()["turbo"]) or root.wants()["turbo"])
        if installed and installed < ENV_MODE:
            found.answer("old_turbo", True, *root.place("turbo"), "older than 1.10")
        where: tuple[str, int | None] = (package.path, package.line("name"))
    elif root.has("nx.json") and (package.repository.is_file(project) or "nx" in root.wants()):
        found.answer("workspace_tool", "nx", "nx.json", None, "")
        data = package.repository.json(project) or {}
        own = data.get("name") or table(package.data, "nx").get("name")
        name = own if isinstance(own, str) else name or PurePosixPath(package.folder).name
        where = (project, None) if data.get("name") else (package.path, package.line("name"))
        output = table(data, "targets", "build", "options").get("outputPath")
        if isinstance(output, str):
            found.cannot_tell(
                "dist_dir",
                f"{project}: its build writes to {output}, outside of {package.folder}.",
                "Let Nx run `next build` (the plugin @nx/next/plugin), or set the folder with -d dist_dir=….",
            )
    else:
        found.answer("workspace_tool", "none", root.path, None, "neither turbo.json nor nx.json")
        return
    if name:
        found.answer("workspace_name", name, *where, "")
    else:
        found.cannot_tell("workspace_name", f"{package.path} has no name.", "Give it a name. Its workspace needs one.")


def needed_members(repository: Repository, package: Package, others: Sequence[str], by_protocol: bool) -> list[str]:
    """Return the members that an application depends on, each after its own dependencies.

    Args:
        repository: Where they are read.
        package: The application's folder.
        others: The workspace's members.
        by_protocol: Whether only `workspace:…` means a member, as in pnpm.
    """
    names: dict[str, Package] = {}
    for folder in others:
        member = Package(repository, folder)
        names.setdefault(member.name, member)
    names.pop("", None)
    order: list[str] = []
    seen = {package.folder}
    # Each entry is a folder and those below it that are still to be looked at.
    waiting = [(package.folder, _locals(package, names, by_protocol))]
    while waiting:
        folder, below = waiting[-1]
        if below:
            next_one = below.pop(0)
            if next_one not in seen:
                seen.add(next_one)
                waiting.append((next_one, _locals(Package(repository, next_one), names, by_protocol)))
            continue
        waiting.pop()
        if folder != package.folder:
            order.append(folder)
    return order


def _locals(package: Package, names: Mapping[str, Package], by_protocol: bool) -> list[str]:
    found = []
    for name, wanted in package.wants(*TABLES).items():
        alias = re.fullmatch(r"workspace:((?:@[\w.-]+/)?[\w.-]+)@.*", wanted)
        member = names.get(alias[1] if alias else name)
        if member and (
            wanted.startswith(("workspace:", "link:", "file:")) or (not by_protocol and _meant(member, wanted))
        ):
            found.append(member.folder)
    return sorted(found)


def _meant(member: Package, wanted: str) -> bool:
    """Tell whether a range is satisfied by a member's own version, so that no published one is taken."""
    own, allowed = version(member.text("version")), spans(wanted)
    return allowed is not None and (own is None or any(span.low <= own < span.high for span in allowed))


def _imported(repository: Repository, package: Package, known: Sequence[str]) -> list[str]:
    """Return the folders that code is imported from by way of `paths` in the root's tsconfig (Nx)."""
    text = next((found for name in ("tsconfig.base.json", "tsconfig.json") if (found := repository.text(name))), "")
    aliases = {alias.rstrip("/*"): _project(repository, target) for alias, target in PATHS.findall(text)}
    order: list[str] = []
    waiting, seen = [package.folder, *known], {package.folder, *known}
    while waiting:
        folder = waiting.pop(0)
        for path in repository.files:
            if not is_within(path, folder) or not path.endswith(SOURCES):
                continue
            for name in IMPORT.findall(repository.text(path) or ""):
                target = next((aliases[alias] for alias in _prefixes(name) if alias in aliases), None)
                if target and target not in seen:
                    seen.add(target)
                    waiting.append(target)
                    order.append(target)
    return list(reversed(order))


def _prefixes(name: str) -> Iterator[str]:
    parts = name.split("/")[:_DEEPEST]
    for count in range(len(parts), 0, -1):
        yield "/".join(parts[:count])


def _project(repository: Repository, target: str) -> str | None:
    """Return the nearest folder at or above a path that is a project of Nx."""
    for folder in list(PurePosixPath(target).parents)[:-1]:
        if any(repository.is_file(str(folder / name)) for name in ("project.json", "package.json")):
            return str(folder)
    return None


def shared_files(repository: Repository, folders: Sequence[str]) -> list[str]:
    """Return the files outside of some folders that their builds read: the root's, and what tsconfigs extend."""
    found = {
        path
        for path in repository.files
        if "/" not in path and any(fnmatchcase(path, pattern) for pattern in WORKSPACE_FILES)
    }
    for folder in folders:
        found |= {
            path for path in extended(repository, folder) if not any(is_within(path, inside) for inside in folders)
        }
    return sorted(found)


def extended(repository: Repository, folder: str) -> set[str]:
    """Return the files that a folder's tsconfigs extend by a relative path, also by way of one another."""
    waiting = [path for path in repository.files if fnmatchcase(path, "*tsconfig*.json") and parent(path) == folder]
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        if match := _EXTENDS.search(repository.text(path) or ""):
            for name in re.findall(r"\"(\.{1,2}/[^\"\n]+)\"", match[1]):
                target = resolved(parent(path), name)
                if target and not target.endswith(".json"):
                    target += ".json"
                if target and target not in found and repository.is_file(target):
                    found.add(target)
                    waiting.append(target)
    return found


def resolved(folder: str, name: str) -> str | None:
    """Return a path relative to the repository root, or None if it leads outside."""
    parts: list[str] = []
    for part in PurePosixPath(folder, name).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts) or "."
