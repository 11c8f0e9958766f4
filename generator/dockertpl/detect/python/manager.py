"""Detect the package manager: by its lock file, the requirements file, or the manifest.

A missing lock is an error for a manager that installs from a lock, since the build would fail. Other manifests are
installed without a lock, with a warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.conventions import DEVELOPMENT_REQUIREMENTS, REQUIREMENTS
from dockertpl.detect.python.dynamic import is_dynamic, requirements_files
from dockertpl.detect.python.lock import LOCKS, is_pylock
from dockertpl.detect.python.project import Project, requirement
from dockertpl.detect.python.server import FRAMEWORKS
from dockertpl.detect.repository import is_within, join, parent
from dockertpl.detect.tables import strings
from dockertpl.detect.tomlfile import line_of
from dockertpl.errors import NotDetectedError

_LOCK_COMMANDS = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock", "pipenv": "pipenv lock"}


@dataclass(frozen=True, kw_only=True)
class Manager:
    """What installs the dependencies: its name ("" if unknown), and its lock or requirements files from the root."""

    name: str = ""
    lock: str = ""
    requirements_file: str = ""
    requirements_more: tuple[str, ...] = ()


def find_manager(project: Project, found: Detection, workspace_root: str | None, dockerfiles: list[str]) -> Manager:
    """Find the package manager and, for pip, its files; what is found goes into `found`.

    Args:
        project: The application's folder.
        found: Where answers, unknowns and warnings go.
        workspace_root: The root of the uv workspace that the application is a member of.
        dockerfiles: Existing Dockerfiles, whose `pip install -r` names the file that counts.

    Raises:
        NotDetectedError: The manager needs a lock, which is missing.
    """
    lock_folder = project.app_dir if workspace_root is None else workspace_root
    name = project.given.get("manager") or _by_files(project, found, workspace_root, dockerfiles)
    if not name:
        return Manager()
    if name == "pip":
        file = _requirements(project, found, dockerfiles)
        return Manager(name="pip", requirements_file=file, requirements_more=_more(project, found, file, dockerfiles))
    lock = join(lock_folder, LOCKS[name]) if name in LOCKS else ""
    if lock and not project.repository.is_file(lock):
        raise _no_lock(project, name, lock)
    return Manager(name=name, lock=lock)


def _no_lock(project: Project, name: str, lock: str) -> NotDetectedError:
    """Return the error for a missing lock, with the command to create it and the alternative."""
    folder = parent(lock)
    where = "" if folder == "." else f" in {folder}"
    remedy = f"Run `{_LOCK_COMMANDS[name]}`{where} and commit {lock}."
    if "dependencies" in project.table("project") and folder == project.app_dir:
        remedy += "\nOr install without a lock:\n-d manager=pyproject  (every build may install other versions)"
    return NotDetectedError(f"{lock} is missing, but {name} installs from it.", remedy)


def _by_files(project: Project, found: Detection, workspace_root: str | None, dockerfiles: list[str]) -> str:
    if workspace_root is not None:
        lock = join(workspace_root, LOCKS["uv"])
        found.answer("manager", "uv", lock, None, "")
        return "uv"
    locks = [name for name, file in LOCKS.items() if project.has(file)]
    if locks:
        return _locked(project, found, locks)
    requirements = _requirements_path(project, dockerfiles)
    if requirements and _installs_from(project, requirements, dockerfiles):
        found.answer("manager", "pip", *_place(project, requirements, dockerfiles))
        return "pip"
    if named := _named(project):
        name, path, line = named
        found.answer("manager", name, path, line, f"[tool.{name}]" if line else "Pipfile")
        return name
    if is_dynamic(project):
        line = project.line("project", "dynamic")
        found.cannot_build(
            "manager",
            f"{project.manifest}:{line} has dynamic dependencies, which the build reads from code.",
            f"List them in {project.manifest} or in a requirements file, or lock them with `uv lock`.",
        )
        return ""
    if project.table("project"):
        found.answer("manager", "pyproject", project.manifest, project.line("project"), "pyproject.toml without a lock")
        found.warn(
            f"{project.manifest} has no lock, so each build may install other versions. Create one, for "
            "example with `uv lock`, and commit it."
        )
        return "pyproject"
    _say_unknown(project, found)
    return ""


def _named(project: Project) -> tuple[str, str, int | None] | None:
    """Return the manager that a Pipfile or a table of the manifest names: its name, and where."""
    if project.has("Pipfile"):
        return "pipenv", project.at("Pipfile"), None
    for name in ("poetry", "pdm", "uv"):
        if isinstance(project.table("tool").get(name), dict):
            return name, project.manifest, project.line("tool", name)
    return None


def _installs_from(project: Project, requirements: str, dockerfiles: list[str]) -> bool:
    """Tell whether a requirements file is what is installed, though a manifest without a lock is there as well."""
    if requirements in requirements_files(project) or _is_lock(project, requirements, dockerfiles):
        return True
    if _named(project):
        # Such a manifest would need its lock; the file will do if it brings the application's framework.
        return any(need.name in FRAMEWORKS for need in project.required(requirements))
    if "dependencies" not in project.table("project"):
        return True
    brings = {need.name for need in project.required(requirements)} & FRAMEWORKS
    return bool(brings) and not any(need.name in FRAMEWORKS for need in project.declared())


def _locked(project: Project, found: Detection, locks: list[str]) -> str:
    name = locks[0]
    if len(locks) > 1:
        name = next((lock for lock in locks if lock in project.table("tool")), name)
        others = ", ".join(LOCKS[lock] for lock in locks if lock != name)
        found.warn(f"{project.at(LOCKS[name])} is used, but {others} also exists. Remove the one that you do not use.")
    found.answer("manager", name, project.at(LOCKS[name]), None, "")
    return name


def _say_unknown(project: Project, found: Detection) -> None:
    remedy = "Give it a pyproject.toml with a lock (for example `uv init --bare` and `uv add`), or a requirements.txt."
    for name, what in (
        ("setup.py", "setup.py without a requirements file is not supported"),
        ("setup.cfg", "setup.cfg without a lock is not supported"),
        ("environment.yml", "a conda environment is not supported"),
        ("pyproject.toml", "pyproject.toml has no [project] table"),
    ):
        if project.has(name):
            found.cannot_build("manager", f"{project.at(name)}: {what}.", remedy)
            return
    where = "the root" if project.app_dir == "." else project.app_dir
    what = f"No lock file, pyproject.toml, Pipfile or requirements.txt was found in {where}."
    names = {*LOCKS.values(), *REQUIREMENTS}
    files = (path for path in project.repository.files if is_within(path, project.app_dir))
    if elsewhere := next((path for path in sorted(files) if PurePosixPath(path).name in names), ""):
        remedy = f"If it is {elsewhere}, move that file and its manifest to {where}.\nOtherwise: {remedy}"
    found.cannot_build("manager", what, remedy)


def _installs(project: Project, dockerfiles: list[str]) -> list[tuple[str, str, int]]:
    """Return the requirements files that Dockerfiles install: (path from the root, Dockerfile, line)."""
    result = []
    for path in dockerfiles:
        for words, line in dockerfile.run_commands(project.repository.text(path) or ""):
            if "install" not in words:
                continue
            named = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-r", "--requirement")]
            named += [word.removeprefix("-r") for word in words if re.fullmatch(r"-r[\w./-]+", word)]
            for name in named:
                parts = name.strip("/").split("/")
                # /tmp/requirements.txt in the image is requirements.txt here: drop folders until it fits.
                for start in range(len(parts) if ".." not in parts and len(parts) < 20 else 0):
                    file = project.at("/".join(parts[start:]))
                    if project.repository.is_file(file):
                        result.append((file, path, line))
                        break
    return [entry for entry in result if project.inside(entry[0]) not in DEVELOPMENT_REQUIREMENTS]


def _requirements_path(project: Project, dockerfiles: list[str]) -> str:
    given = project.given.get("requirements_file")
    if isinstance(given, str) and given:
        return project.at(given)
    if installed := _installs(project, dockerfiles):
        return installed[0][0]
    if locked := _pylock(project):
        return locked
    if named := requirements_files(project):
        return named[0]
    if found := next((project.at(name) for name in REQUIREMENTS if project.has(name)), ""):
        return found
    # Inside the package: app/requirements.txt beside app/__init__.py.
    for path in project.repository.files:
        inside = project.inside(path) if is_within(path, project.app_dir) else ""
        if inside.count("/") == 1 and inside.endswith("/requirements.txt"):
            return path
    return ""


def _more(project: Project, found: Detection, first: str, dockerfiles: list[str]) -> tuple[str, ...]:
    """Answer `requirements_more`: what `dynamic` names, or a command of a Dockerfile installs, besides the first file.

    Returns:
        The files, relative to the repository's root.
    """
    given = project.given.get("requirements_more")
    if given is not None:
        return tuple(map(project.at, strings(given)))
    places = [(path, line) for file, path, line in _installs(project, dockerfiles) if file == first]
    path, line = places[0] if places else (project.manifest, project.line("project", "dynamic"))
    files = requirements_files(project)
    if places:
        files = [file for file, *place in _installs(project, dockerfiles) if tuple(place) == places[0]]
    known = {first, *project.includes(first)}
    more = [file for file in dict.fromkeys(files) if file not in known] if first in files else []
    if more:
        found.answer("requirements_more", [project.inside(file) for file in more], path, line, "installed as well")
    return tuple(more)


def _place(project: Project, requirements: str, dockerfiles: list[str]) -> tuple[str, int | None, str]:
    for file, path, line in _installs(project, dockerfiles):
        if file == requirements:
            return path, line, f"installs {project.inside(file)}"
    return requirements, None, ""


def _pylock(project: Project) -> str:
    """Return the lock in the standard format, or an empty string. Prefer the one for production."""
    locks = [path for path in project.repository.listed(project.app_dir, ".toml") if is_pylock(path)]
    names = ("pylock.toml", "pylock.prod.toml", "pylock.production.toml")
    return next((path for name in names for path in locks if path == project.at(name)), "")


def _is_lock(project: Project, requirements: str, dockerfiles: list[str]) -> bool:
    """Tell whether a requirements file beside [project] is what is installed: compiled, pinned, or so used."""
    if is_pylock(requirements) or any(file == requirements for file, _, _ in _installs(project, dockerfiles)):
        return True
    needs = list(project.required(requirements))
    return bool(needs) and all(need.constraint.startswith("==") for need in needs)


def _requirements(project: Project, found: Detection, dockerfiles: list[str]) -> str:
    """Answer the questions on pip's files and return the requirements file."""
    file = _requirements_path(project, dockerfiles)
    if not file:
        return project.at("requirements.txt")
    repository = project.repository
    text = repository.text(file) or ""
    found.answer("requirements_file", project.inside(file), *_place(project, file, dockerfiles))
    if is_pylock(file):
        return file
    if source := _source(project, file, text):
        line = line_of(text, r"^#.*(?:pip-compile|pip compile)")
        found.answer("requirements_source", source, file, line, "compiled from it")
    for name in DEVELOPMENT_REQUIREMENTS:
        if project.has(name) and project.at(name) != file:
            found.answer("requirements_dev", name, project.at(name), None, "")
            break
    if "--hash=" in text:
        found.answer("require_hashes", _all_hashed(text), file, line_of(text, "--hash="), "")
    included = [path for path in project.includes(file) if is_within(path, project.app_dir)]
    if included:
        found.answer("requirements_includes", [project.inside(path) for path in included], file, None, "included by it")
    for path in project.includes(file):
        if path not in included or not repository.is_file(path):
            found.cannot_build(
                "requirements_includes",
                f"{file} includes {path}, which is not a file of {project.app_dir}, the build context.",
                "Move it there, or copy what it lists.",
            )
    needs = list(project.required(file))
    loose = sorted(
        need.name for need in needs if not re.match(r"===?[^*]*$", need.constraint) and "@" not in need.constraint
    )
    if loose:
        some = ", ".join(loose[:3]) + (f" and {len(loose) - 3} more" if len(loose) > 3 else "")
        found.warn(
            f"{file} does not pin {some}, so each build may install other versions. Pin them, for example with "
            f"`uv pip compile`."
        )
    return file


def _all_hashed(text: str) -> bool:
    """Tell whether every requirement carries a hash, on its line or on one that continues it."""
    hashed: list[bool] = []
    continues = False
    for line in text.splitlines():
        if not continues and requirement(line):
            hashed.append(False)
        if hashed and "--hash=" in line:
            hashed[-1] = True
        continues = line.rstrip().endswith("\\")
    return all(hashed)


def _source(project: Project, file: str, text: str) -> str:
    """Return the source of a compiled requirements file, relative to the application's folder."""
    header = "\n".join(line for line in text.splitlines()[:12] if line.startswith("#"))
    if "compile" not in header:
        return ""
    words = re.findall(r"(?<!\S)[\w./-]+\.(?:in|toml)(?!\S)", header)
    beside = join(parent(file), file.rpartition("/")[2].removesuffix(".txt") + ".in")
    for candidate in (*(project.at(word) for word in words), beside):
        if ".." not in candidate.split("/") and project.repository.is_file(candidate):
            return project.inside(candidate)
    return ""
