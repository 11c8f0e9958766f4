"""Debian packages that the dependencies need, from data/system_packages.toml."""

from __future__ import annotations

import re

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import system_packages
from dockertpl.detect.node.locks import Lock, locked
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import version
from dockertpl.detect.node.workspace import Workspace
from dockertpl.detect.tables import strings

_SSH = re.compile(r"(?:git\+)?ssh://|[\w.-]+@[\w.-]+:[\w~./-]+\.git")
_GIT = re.compile(r"git(?:\+https?)?://|https?://[^#]+\.git(?:#|$)")


def find_system_packages(package: Package, found: Detection, lock: Lock | None, workspace: Workspace) -> None:
    """Answer `build_packages` and `runtime_packages`.

    Args:
        package: The application's folder.
        found: Where answers and warnings go.
        lock: The lock, if there is one.
        workspace: The workspace, of whose packages the application is made too.
    """
    repository = package.repository
    build: dict[str, tuple[str, Package]] = {}
    run: dict[str, tuple[str, Package]] = {}
    for folder in dict.fromkeys([package.folder, *workspace.packages, workspace.root]):
        one = Package(repository, folder)
        production, everything = one.wants("dependencies"), one.wants()
        for name, rule in system_packages().items():
            if name not in everything:
                continue
            below = rule.get("below")
            if isinstance(below, int):
                wanted = everything[name]
                known = version((locked(lock, repository, name, wanted) if lock else "") or wanted)
                if known and known[0] >= below:
                    continue
            for system in strings(rule.get("build")):
                build.setdefault(system, (name, one))
            for system in strings(rule.get("run")):
                run.setdefault(system, (name, one))
            if "warn" in rule and name in production:
                found.warn(str(rule["warn"]))
        _of_git(one, found, build)
    for key, packages in (("build_packages", build), ("runtime_packages", run)):
        if packages:
            names = list(dict.fromkeys(name for name, _ in packages.values()))
            first = next(iter(packages.values()))
            found.answer(key, sorted(packages), *first[1].place(first[0]), "for " + ", ".join(names))


def _of_git(package: Package, found: Detection, build: dict[str, tuple[str, Package]]) -> None:
    """Answer `ssh` or add Git, where a dependency comes from a Git repository and not from a tarball."""
    for name, wanted in package.wants().items():
        if _SSH.match(wanted):
            found.answer("ssh", True, *package.place(name), f"{name} comes over SSH")
        elif _GIT.match(wanted):
            for system in ("ca-certificates", "git"):
                build.setdefault(system, (name, package))
