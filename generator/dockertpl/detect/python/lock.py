"""Lock files: which distributions production gets, and for which Pythons they have wheels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockertpl.detect.python.project import Dependency, Project, normalise, requirement
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
        git: It is built from a Git repository.
    """

    name: str
    version: str = ""
    wheels: tuple[str, ...] = ()
    needs: tuple[Dependency, ...] = ()
    extras: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    git: bool = False


@dataclass(frozen=True, kw_only=True)
class Production:
    """What is installed for production.

    Attributes:
        packages: By normal name: the locked distribution, or just the name where there is no lock.
        path: The file that says so.
        direct: What is asked for directly, by normal name.
    """

    packages: Mapping[str, Locked]
    path: str
    direct: Mapping[str, Dependency]

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
        requirements_file: For pip, the requirements file, seen from the root.
        lock: The lock file, seen from the root.
        besides: What extras add.

    Raises:
        BadInputError: The lock is not valid TOML or JSON.
    """
    if manager == "pip":
        direct = {found.name: found for found in project.required(requirements_file)}
    else:
        direct = {found.name: found for found in project.declared() if not found.optional}
    direct |= {found.name: found for found in besides}
    locked: dict[str, Locked] = {}
    if manager == "pipenv":
        locked = _pipfile_lock(project, lock)
    elif manager in LOCKS:
        locked = _packages(project.repository.toml(lock) or {})
    if not locked:
        bare = {name: _unlocked(found) for name, found in direct.items()}
        path = next(iter(direct.values())).path if direct else ""
        return Production(packages=bare, path=path, direct=direct)
    wanted = set(locked) if manager == "pipenv" else _closure(locked, direct.values())
    return Production(packages={name: locked[name] for name in sorted(wanted)}, path=lock, direct=direct)


def _unlocked(found: Dependency) -> Locked:
    pinned = re.match(r"===?\s*([\w.!+-]+)", found.constraint)
    return Locked(name=found.name, version=pinned[1] if pinned else "", git="git+" in found.constraint)


def _closure(locked: Mapping[str, Locked], direct: Iterable[Dependency]) -> set[str]:
    """Return every distribution that the direct ones need, extras followed."""
    done: set[tuple[str, str]] = set()
    waiting = [(found.name, extra) for found in direct for extra in ("", *found.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in done or name not in locked:
            continue
        done.add((name, extra))
        needs = locked[name].extras.get(extra, ()) if extra else locked[name].needs
        waiting += [(need.name, wanted) for need in needs if not need.optional for wanted in ("", *need.extras)]
    return {name for name, _ in done}


def _packages(data: dict[str, Any]) -> dict[str, Locked]:
    """Read the packages of uv.lock, poetry.lock or pdm.lock; the three differ in how dependencies are written."""
    found: dict[str, Locked] = {}
    old_files = table(data, "metadata", "files")  # Poetry before 1.3
    packages = data.get("package")
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict) or not isinstance(package.get("name"), str):
            continue
        name = normalise(package["name"])
        extras = {
            normalise(extra): tuple(_needs(needs))
            for extra, needs in {**table(package, "extras"), **table(package, "optional-dependencies")}.items()
        }
        needs = tuple(_needs(package.get("dependencies")))
        if name in found:  # PDM writes one more entry for a distribution with extras; uv one for each fork
            needs = (*found[name].needs, *needs)
            extras = {**found[name].extras, **extras}
        files = [*_files(package.get("wheels")), *_files(package.get("files")), *_files(old_files.get(package["name"]))]
        found[name] = Locked(
            name=name,
            version=str(package.get("version", "")),
            wheels=tuple(file for file in files if file.endswith(".whl")),
            needs=needs,
            extras=extras,
            git="git" in table(package, "source") or table(package, "source").get("type") == "git" or "git" in package,
        )
    return found


def _files(entries: Any) -> list[str]:
    names = [
        str(entry.get("file") or entry.get("url") or entry.get("filename") or entry.get("path") or "")
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
            extras = frozenset(normalise(extra) for extra in strings(details.get("extras")))
            yield Dependency(name=normalise(name), extras=extras, optional=details.get("optional") is True)
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            if found := requirement(item):
                yield found
        elif isinstance(item, dict) and isinstance(item.get("name"), str):
            extras = frozenset(normalise(extra) for extra in strings(item.get("extra")))
            yield Dependency(name=normalise(item["name"]), extras=extras)


def _pipfile_lock(project: Project, lock: str) -> dict[str, Locked]:
    text = project.repository.text(lock)
    if text is None:
        return {}
    try:
        data = json.loads(text)
    except RecursionError:
        raise BadInputError(f"{lock} is nested too deeply.", "Lock again with pipenv lock.") from None
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise BadInputError(f"{lock}:{line} is not valid JSON.", "Repair it, or lock again with pipenv lock.") from None
    return {
        normalise(name): Locked(
            name=normalise(name),
            version=str(details.get("version", "")).lstrip("="),
            git="git" in details,
        )
        for name, details in table(data, "default").items()
        if isinstance(details, dict)
    }


def has_linux_wheel(package: Locked) -> bool:
    """Tell whether a distribution has a binary wheel for Linux with glibc."""
    return any(re.search(r"-(?:many)?linux[^-]*$", wheel) for wheel in package.wheels)


def lacks_wheel(package: Locked, python: str) -> bool:
    """Tell whether a distribution has wheels for Linux, but none for this Python (it is then built from source).

    Args:
        package: The distribution.
        python: A version such as 3.13.
    """
    minor = int(python.partition(".")[2])
    fits: list[bool] = []
    for wheel in package.wheels:
        parts = wheel.removesuffix(".whl").split("-")
        if len(parts) < 5:
            continue
        tags, abis, platform = parts[-3:]
        if platform == "any" or ("linux" in platform and "musllinux" not in platform):
            fits.append(any(_fits(tag, "abi3" in abis, minor) for tag in tags.split(".")))
    return bool(fits) and not any(fits)


def _fits(tag: str, stable: bool, minor: int) -> bool:
    if match := re.fullmatch(r"cp3(\d+)", tag):
        return int(match[1]) <= minor if stable else int(match[1]) == minor
    return tag in ("py3", f"py3{minor}", "cp3")
