"""Lock files: which distributions production gets, and for which Pythons they have wheels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockertpl.detect.python.groups import in_production_groups
from dockertpl.detect.python.project import Dependency, Project, normalize, requirement
from dockertpl.detect.repository import Repository
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import line_of
from dockertpl.errors import BadInputError

LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One distribution of a lock file.

    Attributes:
        name: Its normal name.
        version: Its version.
        wheels: The file names of its wheels; empty if the lock does not name them.
        needs: What it depends on, with the extras that it asks for.
        extras: What each of its extras adds.
        git: The address of the Git repository that it is built from; empty for what an index has.
        marker: Where it is installed, if not everywhere.
    """

    name: str
    version: str = ""
    wheels: tuple[str, ...] = ()
    needs: tuple[Dependency, ...] = ()
    extras: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    git: str = ""
    marker: str = ""


@dataclass(frozen=True, kw_only=True)
class Production:
    """What is installed for production.

    Attributes:
        packages: The locked distributions by normalized name. Without a lock, only the names.
        path: The file that says so.
        direct: What is asked for directly, by normal name.
        is_lock: Whether a lock says so, which names the files of each distribution.
        requires_python: The Pythons that the lock is for, empty if it does not say.
        is_complete: Whether all that is installed is known: a lock says so, or a file that lists and pins everything.
    """

    packages: Mapping[str, Locked]
    path: str
    direct: Mapping[str, Dependency]
    is_lock: bool = False
    requires_python: str = ""
    is_complete: bool = False

    def installed_on(self, python: str) -> set[str]:
        """Return the names of what is installed on Linux for a Python such as 3.13: what no marker leaves out."""
        everywhere = (Dependency(name=name) for name in self.packages)
        roots = self.direct.values() if self.direct else everywhere
        found = _closure(self.packages, [one for one in roots if _is_meant(one.marker, python)], python)
        return {name for name in found if _is_meant(self.packages[name].marker, python)}

    def place(self, name: str, repository: Repository) -> tuple[str, int | None]:
        """Return the file and line that best show why a distribution is there: the manifest's, else the lock's."""
        found = self.direct.get(name)
        if found and found.line:
            return found.path, found.line
        path = found.path if found else self.path
        text = repository.text(path) or ""
        pattern = name.replace("-", "[-_.]")
        own_line = rf"(?i)^[ \t]*(?:name = )?[\"']?{pattern}[\"']?(?:$|[\[\s:=<>~!;@])"
        in_a_list = rf"(?i)[\"']{pattern}[ \t]*[\[<>=!~;@\"']"
        return path, line_of(text, own_line) or line_of(text, in_a_list)


def production(
    project: Project, manager: str, requirements_file: str, lock: str, besides: Iterable[Dependency] = ()
) -> Production:
    """Return what the application gets in production: from the lock, else from the manifest.

    Args:
        project: The application's folder.
        manager: The package manager.
        requirements_file: For pip, the requirements file, relative to the root; it may be a pylock.toml.
        lock: The lock file, relative to the root.
        besides: What extras add.

    Raises:
        BadInputError: The lock is not valid TOML or JSON.
    """
    if manager == "pip" and is_pylock(requirements_file):
        return _of_pylock(project, requirements_file)
    if manager == "pip":
        direct = {found.name: found for found in project.required(requirements_file)}
    else:
        asked = (*project.declared(), *in_production_groups(project, manager))
        direct = {found.name: found for found in asked if not found.optional}
    direct |= {found.name: found for found in besides}
    locked: dict[str, Locked] = {}
    data: dict[str, Any] = {}
    if manager == "pipenv":
        locked = _pipfile_lock(project, lock)
    elif manager in LOCKS:
        data = project.repository.toml(lock) or {}
        locked = _packages(data)
    if not locked:
        bare = {name: _unlocked(found) for name, found in direct.items()}
        path = next(iter(direct.values())).path if direct else ""
        complete = manager == "pip" and _is_frozen(project, requirements_file, direct)
        return Production(packages=bare, path=path, direct=direct, is_complete=complete)
    wanted = set(locked) if manager == "pipenv" else _closure(locked, direct.values())
    return Production(
        packages={name: locked[name] for name in sorted(wanted)},
        path=lock,
        direct=direct,
        is_lock=manager != "pipenv",
        # What the build works out is not followed.
        is_complete=not strings(project.table("project").get("dynamic")),
        requires_python=_python_of(data),
    )


def _is_frozen(project: Project, file: str, direct: Mapping[str, Dependency]) -> bool:
    """Tell whether a requirements file lists and pins everything, as `pip freeze` and pip-compile write it."""
    pinned = all(found.constraint.startswith("==") for found in direct.values())
    # FastAPI's own dependencies. They are rarely listed by hand.
    return pinned and {"starlette", "pydantic-core"} <= set(direct) and not project.has_unread_requirements(file)


def is_pylock(path: str) -> bool:
    """Tell whether a file is a lock in the standard format, by its name: pylock.toml, pylock.prod.toml."""
    return re.fullmatch(r"pylock(?:\.[^./]+)?\.toml", path.rpartition("/")[2]) is not None


def _of_pylock(project: Project, path: str) -> Production:
    data = project.repository.toml(path) or {}
    # An extra or a group is not installed unless it is asked for.
    everything = {
        name: package
        for name, package in _packages({"package": data.get("packages")}).items()
        if not re.search(r"\b(?:extras|dependency_groups)\b", package.marker)
    }
    declared = {found.name: found for found in project.declared() if found.name in everything}
    return Production(
        packages=everything,
        path=path,
        direct=declared or {name: Dependency(name=name, path=path) for name in everything},
        is_lock=True,
        is_complete=True,
        requires_python=_python_of(data),
    )


def _python_of(data: Mapping[str, Any]) -> str:
    """Return the Pythons that a lock is for, as uv.lock and pylock.toml write them."""
    found = data.get("requires-python")
    return found if isinstance(found, str) else ""


def _unlocked(found: Dependency) -> Locked:
    pinned = re.match(r"===?\s*([\w.!+-]+)", found.constraint)
    git = re.search(r"git\+[^\s;]+", found.constraint)
    version = pinned[1] if pinned else ""
    return Locked(name=found.name, version=version, git=git[0] if git else "", marker=found.marker)


def _closure(locked: Mapping[str, Locked], direct: Iterable[Dependency], python: str = "") -> set[str]:
    """Return every distribution that the direct ones need, extras followed; for a Python, what its markers let in."""
    done: set[tuple[str, str]] = set()
    waiting = [(found.name, extra) for found in direct for extra in ("", *found.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in done or name not in locked:
            continue
        done.add((name, extra))
        needs = locked[name].extras.get(extra, ()) if extra else locked[name].needs
        meant = [need for need in needs if not need.optional and (not python or _is_meant(need.marker, python))]
        waiting += [(need.name, wanted) for need in meant for wanted in ("", *need.extras)]
    return {name for name, _ in done}


def _is_meant(marker: str, python: str) -> bool:
    """Tell whether a marker lets a distribution in on Linux with a Python; one that cannot be read does."""
    if not marker:
        return True
    from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName

    here = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "extra": "",
    }
    try:
        return Marker(marker).evaluate(here)
    except (ValueError, UndefinedComparison, UndefinedEnvironmentName):
        return True


def _packages(data: dict[str, Any]) -> dict[str, Locked]:
    """Read the packages of uv.lock, poetry.lock or pdm.lock; the three differ in how dependencies are written."""
    found: dict[str, Locked] = {}
    old_files = table(data, "metadata", "files")  # Poetry before 1.3
    packages = data.get("package")
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict) or not isinstance(package.get("name"), str):
            continue
        name = normalize(package["name"])
        extras = {
            normalize(extra): tuple(_needs(needs))
            for extra, needs in {**table(package, "extras"), **table(package, "optional-dependencies")}.items()
        }
        needs = tuple(_needs(package.get("dependencies")))
        files = [*_files(package.get("wheels")), *_files(package.get("files")), *_files(old_files.get(package["name"]))]
        if name in found:  # PDM writes one more entry for a distribution with extras; uv one for each fork
            needs = (*found[name].needs, *needs)
            extras = {**found[name].extras, **extras}
            files += found[name].wheels
        found[name] = Locked(
            name=name,
            version=str(package.get("version", "")),
            wheels=tuple(file for file in files if file.endswith(".whl")),
            needs=needs,
            extras=extras,
            git=_git(package),
            marker=_text(package.get("marker") or package.get("markers")),
        )
    return found


def _git(package: Mapping[str, Any]) -> str:
    """Return the repository that a locked distribution is built from, as the four formats write it."""
    source = table(package, "source")
    if source.get("type") == "git":
        return _text(source.get("url"))
    vcs = table(package, "vcs")
    return _text(source.get("git") or package.get("git") or (vcs.get("url") if vcs.get("type") == "git" else ""))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _files(entries: Any) -> list[str]:
    names = [
        str(entry.get("file") or entry.get("name") or entry.get("url") or entry.get("path") or "")
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    ]
    return [name.partition("#")[0].rpartition("/")[2] for name in names]


def _needs(value: Any) -> Iterable[Dependency]:
    """Yield dependencies as uv (tables with a name), PDM (requirements) or Poetry (a table by name) write them."""
    if isinstance(value, dict):
        for name, wanted in value.items():
            first = wanted[0] if isinstance(wanted, list) and wanted else wanted
            details = first if isinstance(first, dict) else {}
            extras = frozenset(normalize(extra) for extra in strings(details.get("extras")))
            marker, optional = _text(details.get("markers")), details.get("optional") is True
            yield Dependency(name=normalize(name), extras=extras, marker=marker, optional=optional)
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            if found := requirement(item):
                yield found
        elif isinstance(item, dict) and isinstance(item.get("name"), str):
            extras = frozenset(normalize(extra) for extra in strings(item.get("extra")))
            yield Dependency(name=normalize(item["name"]), extras=extras, marker=_text(item.get("marker")))


def _pipfile_lock(project: Project, lock: str) -> dict[str, Locked]:
    text = project.repository.text(lock)
    if text is None:
        return {}
    try:
        data = json.loads(text)
    except RecursionError:
        raise BadInputError(f"{lock} is nested too deeply.", "Run `pipenv lock` again.") from None
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise BadInputError(f"{lock}:{line} is not valid JSON.", "Repair it, or run `pipenv lock` again.") from None
    return {
        normalize(name): Locked(
            name=normalize(name),
            version=str(details.get("version", "")).lstrip("="),
            git=_text(details.get("git")),
            marker=_text(details.get("markers")),
        )
        for name, details in table(data, "default").items()
        if isinstance(details, dict)
    }
