"""Detect the folder of the Next.js application, then the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dockertpl.detect.dockerfile import last_base
from dockertpl.detect.ending import conclude
from dockertpl.detect.facts import Detection
from dockertpl.detect.naming import folder_name, image_name
from dockertpl.detect.node.configuration import config_path, find_configuration, find_next
from dockertpl.detect.node.conventions import QUESTIONS
from dockertpl.detect.node.install import find_install_files
from dockertpl.detect.node.locks import Lock, find_manager, locked
from dockertpl.detect.node.manager_version import find_manager_version, is_strict
from dockertpl.detect.node.modules import loaded
from dockertpl.detect.node.obstacles import public_files
from dockertpl.detect.node.opened import opened
from dockertpl.detect.node.package import Package, folders, is_next
from dockertpl.detect.node.prisma import find_prisma
from dockertpl.detect.node.required import find_required, required
from dockertpl.detect.node.routes import find_health, find_router
from dockertpl.detect.node.scripts import find_build_script, find_start
from dockertpl.detect.node.system_packages import find_system_packages
from dockertpl.detect.node.variables import find_prisma_variables, find_secrets, find_variables
from dockertpl.detect.node.versions import find_node
from dockertpl.detect.node.workspace import Workspace, find_workspace
from dockertpl.detect.opened import compare
from dockertpl.detect.projects import dockerfiles_of
from dockertpl.detect.repository import Repository, parent
from dockertpl.errors import NotDetectedError
from dockertpl.kinds import NEXTJS_STANDALONE

_NODE = re.compile(r"\bnode\b|\bnpm\b|pnpm|yarn|\bbun\b|\bnext\b")


def look_for_application(
    repository: Repository, app_dir: str | None, given: Mapping[str, Any]
) -> tuple[Detection, NotDetectedError | None]:
    """Return the facts, and an error if the application was not found or cannot be built.

    Args:
        repository: The repository, from `repository_of`.
        app_dir: The application's folder, relative to the root. None to search for it.
        given: The known answers.

    Raises:
        BadInputError: A package.json is not valid.
    """
    found = Detection()
    folder: str | None = app_dir if app_dir is not None else given.get("app_dir")
    note, problem = "", None
    if folder is None:
        folder, problem = _choose_folder(repository, found)
        note = "it has the only Next.js application"
    elif not repository.is_dir(folder):
        problem = NotDetectedError(
            f"{folder} is not a folder of the repository.", "Name the application's folder with -d app_dir=…."
        )
    elif not is_next(repository, folder):
        problem = nothing(folder)
    if folder is not None:
        found.answer("app_dir", folder, "" if folder == "." else folder, None, "" if folder == "." else note)
    if folder is not None and problem is None:
        package = Package(repository, folder, given)
        found.answer("kind", NEXTJS_STANDALONE, *_proof(package), "")
        problem = _describe(package, found)
    conclude(repository, found, folder, given, QUESTIONS)
    return found, problem


def _proof(package: Package) -> tuple[str, int | None]:
    return package.place("next") if "next" in package.wants() else (config_path(package) or package.folder, None)


def proof(repository: Repository, folder: str) -> str:
    """Return the evidence for a Next.js application in a folder, as `file:line`."""
    path, line = _proof(Package(repository, folder))
    return f"{path}:{line}" if line else path


def _choose_folder(repository: Repository, found: Detection) -> tuple[str | None, NotDetectedError | None]:
    everywhere = folders(repository, None)
    if "." in everywhere:
        return ".", None
    if len(everywhere) == 1:
        return everywhere[0], None
    if not everywhere:
        return None, nothing(".")
    lines = []
    for folder in everywhere:
        path, line = _proof(Package(repository, folder))
        found.fact("application", folder, path, line)
        lines.append(f"-d app_dir={folder}  ({proof(repository, folder)})")
    return None, NotDetectedError(
        f"The repository has several Next.js applications: {', '.join(everywhere)}.",
        "Choose one, or run once for each:\n" + "\n".join(lines),
        candidates=everywhere,
    )


def nothing(folder: str) -> NotDetectedError:
    """Return the error for a missing application, with the searched places."""
    where = "the repository" if folder == "." else folder
    return NotDetectedError(
        f"No Next.js application was found in {where}.",
        "Looked for a package.json with `next` among its dependencies, or a next.config in a project of Nx; not in "
        "tests, documents and examples.\nName its folder with -d app_dir=folder.",
    )


def _describe(package: Package, found: Detection) -> NotDetectedError | None:
    """Add the facts about one folder to `found`. Return the first error that prevents a build."""
    repository = package.repository
    problems: list[NotDetectedError] = []

    def attempt(step: Any, *arguments: Any) -> Any:
        try:
            return step(package, found, *arguments)
        except NotDetectedError as error:
            problems.append(error)
            return None

    _find_name(package, found)
    files = dockerfiles_of(repository, package.folder, _projects(repository, package.folder), _NODE)
    lock: Lock | None = attempt(find_manager)
    alone = Workspace(root=package.folder, path="", line=None, members=())
    workspace: Workspace = (attempt(find_workspace, lock) if lock else None) or alone
    root = workspace.root
    home = package if "next" in package.wants() else Package(repository, root)
    declared = home.wants().get("next", "")
    installed = locked(lock, repository, "next", declared) if lock else ""
    attempt(find_next, declared, installed, home)
    attempt(find_node, files, installed or declared, is_strict(package, lock) if lock else False)
    if lock:
        attempt(find_manager_version, lock)
    build_script: str = attempt(find_build_script) or "build"
    if lock:
        attempt(find_install_files, lock, workspace)
    attempt(find_prisma, workspace, build_script)
    attempt(find_system_packages, lock, workspace)
    config = attempt(find_configuration, workspace.seen_from, installed or declared)
    find_router(package, found)
    find_health(package, found, config)
    modules = loaded(package, workspace.packages)
    public = list(public_files(package, build_script))
    needed = required(repository, modules)
    find_variables(package, found, workspace, needed, [one.path for one in public])
    find_prisma_variables(package, found, workspace, build_script)
    find_secrets(package, found, root)
    compare(repository, found, NEXTJS_STANDALONE, package.folder, [*opened(package, modules), *public])
    find_required(package, found, modules, needed)
    find_start(package, found, files)
    if repository.is_dir(package.at("public")):
        found.fact("public_dir", package.at("public"), package.at("public"))
    for path in files:
        found.fact("dockerfile", path, path, None, last_base(repository.text(path) or ""))
    for problem in problems[1:]:
        found.cannot_tell("image", problem.message, problem.remedy)
    return problems[0] if problems else None


def _find_name(package: Package, found: Detection) -> None:
    """Answer `name`: the application's folder, or at the root the package's name without its scope."""
    if name := folder_name(package.folder):
        found.answer("name", name, package.folder, None, "the folder's name")
    elif name := image_name(package.name.rpartition("/")[2]):
        found.answer("name", name, package.path, package.line("name"), "the package's name")


def _projects(repository: Repository, folder: str) -> frozenset[str]:
    """Return all project folders."""
    manifests = ("package.json", "pyproject.toml", "go.mod", "Cargo.toml", "pom.xml")
    return frozenset({".", folder}) | {
        parent(path) for path in repository.files if path.rpartition("/")[2] in manifests
    }
