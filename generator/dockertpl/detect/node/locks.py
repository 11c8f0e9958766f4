"""Detect the package manager by its lock file, and read the lock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import LOCK_COMMANDS, LOCKS
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import version
from dockertpl.detect.repository import Repository, join, parent
from dockertpl.detect.tables import table
from dockertpl.detect.tomlfile import line_of
from dockertpl.errors import NotDetectedError

_WANTED = re.compile(r"(npm|pnpm|yarn|bun)@(\d[\w.-]*)(?:\+.*)?")


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock file.

    Attributes:
        manager: npm, pnpm, yarn, yarn-berry or bun.
        folder: Its folder, relative to the repository root.
        path: Its path.
    """

    manager: str
    folder: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Pin:
    """What `packageManager` or `devEngines` names.

    Attributes:
        manager: npm, pnpm, yarn or bun.
        version: The version or range without a hash, or an empty string.
        path: Where.
        line: The line there.
    """

    manager: str
    version: str
    path: str
    line: int | None


def family(manager: str) -> str:
    """Return a manager without the difference between Yarn 1 and the newer ones."""
    return manager.removesuffix("-berry")


def locks_in(repository: Repository, folder: str) -> list[Lock]:
    """Return the locks of a folder, one for each manager."""
    found = []
    for manager, names in LOCKS.items():
        path = next((join(folder, name) for name in names if repository.is_file(join(folder, name))), None)
        if path and manager == "yarn" and "__metadata:" in (repository.text(path) or "")[:4096]:
            found.append(Lock(manager="yarn-berry", folder=folder, path=path))
        elif path:
            found.append(Lock(manager=manager, folder=folder, path=path))
    return found


def nearest_locks(repository: Repository, folder: str) -> list[Lock]:
    """Return the locks of the nearest folder at or above one that has any."""
    while True:
        found = locks_in(repository, folder)
        if found or folder == ".":
            return found
        folder = parent(folder)


def find_pin(repository: Repository, folder: str) -> Pin | None:
    """Return the manager that is named for a folder, in its package.json or in one above.

    Raises:
        BadInputError: A package.json is not valid.
    """
    while True:
        package = Package(repository, folder)
        if match := _WANTED.fullmatch(package.text("packageManager")):
            return Pin(manager=match[1], version=match[2], path=package.path, line=package.line("packageManager"))
        engines = table(package.data, "devEngines").get("packageManager")
        for engine in map(table, engines if isinstance(engines, list) else [engines]):
            if engine.get("name") in LOCKS:
                wanted = engine.get("version")
                line = package.line("devEngines", "packageManager")
                text = wanted if isinstance(wanted, str) else ""
                return Pin(manager=str(engine["name"]), version=text, path=package.path, line=line)
        if folder == ".":
            return None
        folder = parent(folder)


def find_manager(package: Package, found: Detection) -> Lock:
    """Answer `manager`.

    Args:
        package: The application's folder.
        found: Where answers and warnings go.

    Raises:
        NotDetectedError: No usable lock was found, or two, and neither is selected.
        BadInputError: A package.json is not valid.
    """
    repository = package.repository
    pin = find_pin(repository, package.folder)
    lock = find_lock(package)
    if not package.given.get("manager"):
        found.answer("manager", lock.manager, lock.path, None, "")
    if lock.path.endswith("bun.lockb"):
        found.answer("binary_lock", True, lock.path, None, "Bun's old, binary lock")
    if lock.manager == "yarn-berry":
        _linker(found, lock, repository)
    if pin and family(lock.manager) != pin.manager:
        found.warn(
            f"{pin.path}:{pin.line} names {pin.manager}, but the lock is {lock.path}. {lock.manager} is used. Make "
            f"both agree."
        )
    if lock.manager == "npm" and lock_version(lock, repository)[0] == "1":
        found.warn(
            f"{lock.path} was written by npm 6. Newer versions read it slowly. Run "
            "`npm install --package-lock-only` and commit it."
        )
    return lock


def find_lock(package: Package) -> Lock:
    """Return the lock that a package is installed from.

    Args:
        package: Its folder; its `given` may name the manager.

    Raises:
        NotDetectedError: No usable lock was found, or two, and neither is selected.
        BadInputError: A package.json is not valid.
    """
    repository = package.repository
    pin = find_pin(repository, package.folder)
    lock = _choose(package, nearest_locks(repository, package.folder), pin, str(package.given.get("manager", "")))
    _check(lock, repository)
    return lock


def _linker(found: Detection, lock: Lock, repository: Repository) -> None:
    """Warn about Plug'n'Play: the standalone output needs node_modules."""
    path = join(lock.folder, ".yarnrc.yml")
    text = repository.text(path) or ""
    pattern = r"^nodeLinker[ \t]*:[ \t]*[\"']?([\w-]+)"
    linker = re.search(pattern, text, re.MULTILINE)
    if linker is None or linker[1] == "pnp":
        where = f"{path}:{line_of(text, pattern)}" if linker else path if text else lock.path
        found.warn(
            f"{where}: the repository uses Yarn Plug'n'Play, but the image installs with nodeLinker: node-modules for "
            "the standalone output. Code that needs .pnp.cjs at run time does not work in the image. Packages may "
            "resolve differently than on your machine."
        )


def _choose(package: Package, locks: list[Lock], pin: Pin | None, given: str) -> Lock:
    wanted = given or (pin.manager if pin else "")
    if not locks:
        named = [name for name in LOCK_COMMANDS if name != "npm" and package.text("engines", name)]
        command = LOCK_COMMANDS.get(wanted or (named[0] if len(named) == 1 else ""), LOCK_COMMANDS["npm"])
        where = "the repository" if package.folder == "." else f"{package.folder}, or above it"
        raise NotDetectedError(
            f"No lock file was found in {where}: each build could install other versions.",
            f"Create one with `{command}` in the folder where you install dependencies, and commit it.",
        )
    if len(locks) == 1 and not given:
        return locks[0]
    chosen = [lock for lock in locks if wanted in (lock.manager, family(lock.manager) if not given else "")]
    if chosen:
        return chosen[0]
    files = " and ".join(lock.path for lock in locks)
    if given:
        raise NotDetectedError(
            f"manager={given} does not match the lock {files}.",
            f"Leave out -d manager={given}, or create its lock with `{LOCK_COMMANDS.get(given, given)}`.",
        )
    raise NotDetectedError(
        f"{files} are locks of different managers, and none of them is selected.",
        "Remove the one that you do not use, or choose:\n" + "\n".join(f"-d manager={lock.manager}" for lock in locks),
        candidates=[lock.manager for lock in locks],
    )


def _check(lock: Lock, repository: Repository) -> None:
    """Raise an error for locks that the build does not use."""
    if lock.path.endswith("npm-shrinkwrap.json"):
        target = join(lock.folder, "package-lock.json")
        other = " (package-lock.json beside it is not read by npm)" if repository.is_file(target) else ""
        raise NotDetectedError(
            f"{lock.path} is a lock for published packages{other}.",
            f"Rename it to package-lock.json: `git mv -f {lock.path} {target}`.",
        )


def lock_version(lock: Lock, repository: Repository) -> tuple[str, int | None]:
    """Return the version of the lock's format and its line, or an empty string."""
    text = (repository.text(lock.path) or "")[:4096]
    pattern = r"^[ \t{]*[\"']?lockfileVersion[\"']?:[ \t]*[\"']?(\d+(?:\.\d+)?)"
    match = re.search(pattern, text, re.MULTILINE)
    return (match[1], line_of(text, pattern)) if match else ("", None)


def locked(lock: Lock, repository: Repository, name: str, wanted: str) -> str:
    """Return a package's version in the lock, or an empty string.

    Args:
        lock: The lock.
        repository: Where it is read.
        name: The package.
        wanted: The range that is asked for, which chooses among several.
    """
    everything = sorted(set(_locked(lock, repository, name)), key=lambda text: version(text) or (0, 0, 0))
    major = version(wanted)
    same = [text for text in everything if major and (version(text) or (0,))[0] == major[0]]
    return (same or everything or [""])[-1]


def _locked(lock: Lock, repository: Repository, name: str) -> Iterator[str]:
    if lock.manager == "npm":
        data = repository.json(lock.path) or {}
        for key, entry in [*table(data, "packages").items(), *table(data, "dependencies").items()]:
            if key in (name, f"node_modules/{name}") or key.endswith(f"/node_modules/{name}"):
                text = table(entry).get("version")
                if isinstance(text, str):
                    yield text
        return
    if lock.path.endswith("bun.lockb"):
        return  # it is not a text
    text = repository.text(lock.path) or ""
    quoted = re.escape(name)
    patterns = {
        "pnpm": rf"^  '?/?{quoted}[@/](\d+\.\d+\.\d+[\w.-]*)",
        "yarn": rf"^\"?{quoted}@[^\n]*:\n  version \"([^\"\n]+)\"",
        "yarn-berry": rf"^\"?{quoted}@[^\n]*:\n  version: (\S+)",
        "bun": rf"^ *\"{quoted}\": \[\"{quoted}@(\d[^\"\n]*)\"",
    }
    yield from re.findall(patterns[lock.manager], text, re.MULTILINE)
