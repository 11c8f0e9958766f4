"""Detect how a front end is built: its lock, manager, installation files, Node.js version and variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dockertpl.detect import dotenv
from dockertpl.detect.facts import Detection
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.node.front_ends import BUILD, FrontEnd, data
from dockertpl.detect.node.install import find_install_files
from dockertpl.detect.node.locks import Lock, find_lock, locked
from dockertpl.detect.node.manager_version import find_manager_version, is_strict
from dockertpl.detect.node.obstacles import obstacle
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import version
from dockertpl.detect.node.variables import find_secrets
from dockertpl.detect.node.versions import find_node
from dockertpl.detect.node.workspace import Workspace, extended, members, needed_members, shared_files
from dockertpl.detect.repository import is_within, join, relative_to
from dockertpl.errors import NotDetectedError

#: What the questions of a front end are called where the front end is the application.
_NAMES = {
    "manager": "frontend_manager",
    "manager_version": "frontend_manager",
    "node_version": "frontend_node",
    "install_files": "frontend_files",
}
_ENV_FILES = (".env", ".env.production")
# Node.js 17 and newer have what webpack 4 hashes with only behind this switch.
_OLD_HASHES = {"NODE_OPTIONS": "--openssl-legacy-provider"}


def find_build(front_end: FrontEnd, given: Mapping[str, Any], dockerfiles: Sequence[str]) -> Detection:
    """Return the answers `frontend_…` to how a front end is built, with paths relative to the repository's root.

    Args:
        front_end: The front end.
        given: Answers that are known already.
        dockerfiles: Existing Dockerfiles.

    Raises:
        NotDetectedError: It cannot be built from a clone, for example without a lock.
        BadInputError: A package.json or a workspace's file is not valid.
    """
    package = _package(front_end, given)
    found, inner = Detection(), Detection()
    if (problem := obstacle(package, BUILD)) and problem.what == "file":
        raise NotDetectedError(
            f"{package.path}:{problem.line}: the script {problem.script} opens {problem.detail}. The build context "
            "does not include it, since it may have secrets.",
            "Let `build` only build, and set the file's variables with -d 'frontend_env={…}'.",
        )
    try:
        lock = find_lock(package)
        workspace = _workspace(package, lock)
        find_node(package, inner, dockerfiles, "", is_strict(package, lock))
        find_manager_version(package, inner, lock)
        find_install_files(package, inner, lock, workspace)
        find_secrets(package, inner, lock.folder)
    except NotDetectedError as error:
        raise NotDetectedError(error.message, _renamed(error.remedy)) from None
    release = inner.answers.get("manager_version", "")
    found.answer("frontend_manager", f"{lock.manager}@{release}" if release else lock.manager, lock.path)
    if lock.folder != package.folder:
        found.answer("frontend_root", lock.folder, lock.path, None, "the lock of the workspace")
    if files := _files(package, inner, workspace):
        found.answer("frontend_files", files, lock.path, None, "the installation reads them")
    if "node_version" in inner.answers:
        evidence = inner.evidence["node_version"]
        found.answer("frontend_node", inner.answers["node_version"], evidence.path, evidence.line, evidence.note)
    if "build_secrets" in inner.answers:
        evidence = inner.evidence["build_secrets"]
        found.answer("build_secrets", inner.answers["build_secrets"], evidence.path, evidence.line)
    elif "private_index" in inner.answers:
        found.warn(
            f"{inner.evidence['private_index'].where} names a registry that may need a password. Write "
            "${NPM_TOKEN} in .npmrc instead, and add it with -d 'build_secrets=[NPM_TOKEN]'."
        )
    _find_variables(package, found, lock)
    for text in inner.warnings:
        found.warn(_renamed(text))
    return found


def _package(front_end: FrontEnd, given: Mapping[str, Any]) -> Package:
    """Return the front end's folder, with what is given of it under the names that the steps know."""
    manager, _, release = str(given.get("frontend_manager", "")).partition("@")
    known = {"manager": manager, "manager_version": release, "node_version": given.get("frontend_node")}
    return Package(front_end.package.repository, front_end.folder, {key: one for key, one in known.items() if one})


def _renamed(text: str) -> str:
    """Return advice with the names of the questions that a front end has."""
    return re.sub(r"(?<=-d )('?)(\w+)(?==)", lambda match: match[1] + _NAMES.get(match[2], match[2]), text)


def _workspace(package: Package, lock: Lock) -> Workspace:
    """Return the workspace that a front end is a member of, or its own folder.

    Raises:
        NotDetectedError: The lock above it does not cover it, or it needs a package that must be built first.
    """
    repository = package.repository
    everyone, path, line = members(repository, lock.folder)
    others = [folder for folder in everyone if folder != package.folder]
    if lock.folder != package.folder and package.folder not in everyone:
        raise NotDetectedError(
            f"{package.folder} has no lock, and {lock.path} does not cover it: it is not a member of the workspace.",
            f"Add {relative_to(package.folder, lock.folder)} to the workspace in {lock.folder}, or give it its "
            "own lock.",
        )
    needed = needed_members(repository, package, others, lock.manager == "pnpm") if others else []
    for folder in needed:
        one = Package(repository, folder)
        entry = next((text for key in ("module", "main") if (text := one.text(key))), "")
        if BUILD in one.scripts and ignored_by(repository, join(folder, entry)):
            raise NotDetectedError(
                f"{package.path} needs {folder}, which must be built first ({one.path} names {entry}).",
                f"Let its script `{BUILD}` build {folder} first, and name a source file in {one.path}.",
            )
    return Workspace(root=lock.folder, path=path, line=line, members=tuple(others), packages=tuple(needed), context=".")


def _files(package: Package, inner: Detection, workspace: Workspace) -> list[str]:
    """Return what is copied before the installation besides manifest and lock."""
    repository, inside = package.repository, [package.folder, *workspace.packages]
    files = set(inner.answers.get("install_files", ()))
    if workspace.root != package.folder:
        files |= set(workspace.packages)
        files |= {join(folder, "package.json") for folder in workspace.members if folder not in workspace.packages}
        files |= set(shared_files(repository, inside)) if workspace.root == "." else set()
    for folder in inside:
        files |= {path for path in extended(repository, folder) if not any(is_within(path, one) for one in inside)}
    whole = [path for path in files if not any(path != other and is_within(path, other) for other in files)]
    return sorted(whole)


def _find_variables(package: Package, found: Detection, lock: Lock) -> None:
    """Answer `frontend_env`: what committed .env files set, since none of them is in a build context."""
    repository, prefixes = package.repository, tuple(data()["variables"]["prefixes"])
    values: dict[str, str] = {}
    path = ""
    for name in _ENV_FILES:
        file = package.at(name)
        set_there = dotenv.parse(repository.text(file) or "")
        public = {key: one for key, one in set_there.items() if key.startswith(prefixes)}
        # A file that Git ignores exists on this machine only.
        if public and not ignored_by(repository, file):
            values |= {key: one for key, one in public.items() if re.fullmatch(r"[ -#%-~]*", one)}
            path = file
    note = "the image has no .env files, since they may have secrets" if values else ""
    webpack = version(locked(lock, repository, "webpack", ""))
    if webpack and webpack[0] == 4:
        values |= _OLD_HASHES
        path, note = path or lock.path, note or "webpack 4 needs it"
    if values:
        found.answer("frontend_env", values, path, None, note)
