"""The package manager: by its lock file, else by its table in pyproject.toml, else by the requirements file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.conventions import DEVELOPMENT_REQUIREMENTS, REQUIREMENTS
from dockertpl.detect.python.lock import LOCKS
from dockertpl.detect.python.project import Project, requirement
from dockertpl.detect.repository import is_within, join, parent
from dockertpl.detect.tomlfile import line_of

_LOCK_COMMANDS = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock", "pipenv": "pipenv lock"}


@dataclass(frozen=True, kw_only=True)
class Manager:
    """What installs the dependencies: its name ("" if unknown), and its lock or requirements file from the root."""

    name: str = ""
    lock: str = ""
    requirements_file: str = ""


def find_manager(project: Project, found: Detection, workspace_root: str | None, dockerfiles: list[str]) -> Manager:
    """Find the package manager and, for pip, its files; what is found goes into `found`.

    Args:
        project: The application's folder.
        found: Where answers, unknowns and warnings go.
        workspace_root: The root of the uv workspace that the application is a member of.
        dockerfiles: Existing Dockerfiles, whose `pip install -r` names the file that counts.
    """
    lock_folder = project.app_dir if workspace_root is None else workspace_root
    name = project.given.get("manager") or _by_files(project, found, workspace_root, dockerfiles)
    if not name:
        return Manager()
    if name == "pip":
        return Manager(name="pip", requirements_file=_requirements(project, found, dockerfiles))
    lock = join(lock_folder, LOCKS[name]) if name in LOCKS else ""
    return Manager(name=name, lock=lock)


def _by_files(project: Project, found: Detection, workspace_root: str | None, dockerfiles: list[str]) -> str:
    if workspace_root is not None:
        return _workspace(project, found, workspace_root)
    locks = [name for name, file in LOCKS.items() if project.has(file)]
    if locks:
        return _locked(project, found, locks)
    if project.has("Pipfile"):
        found.answer("manager", "pipenv", project.at("Pipfile"), None, "Pipfile")
        return _without_lock(project, found, "pipenv")
    for name in ("poetry", "pdm"):
        if name in project.table("tool"):
            found.answer("manager", name, project.manifest, project.line("tool", name), f"[tool.{name}]")
            return _without_lock(project, found, name)
    requirements = _requirements_path(project, dockerfiles)
    has_project = bool(project.table("project"))
    if requirements and (not has_project or _is_lock(project, requirements, dockerfiles)):
        found.answer("manager", "pip", *_place(project, requirements, dockerfiles))
        return "pip"
    if "uv" in project.table("tool"):
        found.answer("manager", "uv", project.manifest, project.line("tool", "uv"), "[tool.uv]")
        return _without_lock(project, found, "uv")
    if has_project:
        found.answer("manager", "pyproject", project.manifest, project.line("project"), "pyproject.toml without a lock")
        found.warn(
            f"{project.manifest} has no lock beside it: every build may install other versions. Lock them, for "
            "example with `uv lock`, and commit the lock."
        )
        return "pyproject"
    _say_unknown(project, found)
    return ""


def _workspace(project: Project, found: Detection, root: str) -> str:
    lock = join(root, LOCKS["uv"])
    found.answer("manager", "uv", lock if project.repository.is_file(lock) else join(root, "pyproject.toml"), None, "")
    if not project.repository.is_file(lock):
        found.warn(f"{lock} is missing. Run `uv lock` in {root} and commit it; the build installs from it.")
    return "uv"


def _locked(project: Project, found: Detection, locks: list[str]) -> str:
    name = locks[0]
    if len(locks) > 1:
        name = next((lock for lock in locks if lock in project.table("tool")), name)
        others = ", ".join(LOCKS[lock] for lock in locks if lock != name)
        found.warn(f"{project.at(LOCKS[name])} is used; {others} lies beside it. Remove the one that nobody keeps.")
    found.answer("manager", name, project.at(LOCKS[name]), None, "")
    return name


def _without_lock(project: Project, found: Detection, name: str) -> str:
    found.warn(
        f"{project.at(LOCKS[name])} is missing. Run `{_LOCK_COMMANDS[name]}` and commit it: the build installs from it."
    )
    return name


def _say_unknown(project: Project, found: Detection) -> None:
    remedy = "Give it a pyproject.toml with a lock (for example `uv init --bare` and `uv add`), or a requirements.txt."
    for name, what in (
        ("setup.py", "setup.py alone does not say what to install"),
        ("setup.cfg", "setup.cfg alone has no lock"),
        ("environment.yml", "a conda environment is not supported"),
        ("pyproject.toml", "pyproject.toml has no [project] table"),
    ):
        if project.has(name):
            found.cannot_tell("manager", f"{project.at(name)}: {what}.", remedy)
            return
    looked = "a lock file, pyproject.toml, Pipfile or requirements.txt"
    found.cannot_tell("manager", f"{project.app_dir} holds no {looked}.", remedy)


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
    if found := next((project.at(name) for name in REQUIREMENTS if project.has(name)), ""):
        return found
    # Inside the package: app/requirements.txt beside app/__init__.py.
    for path in project.repository.files:
        inside = project.inside(path) if is_within(path, project.app_dir) else ""
        if inside.count("/") == 1 and inside.endswith("/requirements.txt"):
            return path
    return ""


def _place(project: Project, requirements: str, dockerfiles: list[str]) -> tuple[str, int | None, str]:
    for file, path, line in _installs(project, dockerfiles):
        if file == requirements:
            return path, line, f"installs {project.inside(file)}"
    return requirements, None, ""


def _is_lock(project: Project, requirements: str, dockerfiles: list[str]) -> bool:
    """Tell whether a requirements file beside [project] is what is installed: compiled, pinned, or so used."""
    if any(file == requirements for file, _, _ in _installs(project, dockerfiles)):
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
        if path not in included:
            found.warn(f"{file} includes {path}, which is outside of the build context: move it into the folder.")
    needs = list(project.required(file))
    loose = sorted(
        need.name for need in needs if not re.match(r"===?[^*]*$", need.constraint) and "@" not in need.constraint
    )
    if loose:
        some = ", ".join(loose[:3]) + (f" and {len(loose) - 3} more" if len(loose) > 3 else "")
        found.warn(
            f"{file} does not pin {some}: every build may install other versions. Pin them, for example with "
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
    """Return the file that a requirements file was compiled from, seen from the application's folder."""
    header = "\n".join(line for line in text.splitlines()[:12] if line.startswith("#"))
    if "compile" not in header:
        return ""
    words = re.findall(r"(?<!\S)[\w./-]+\.(?:in|toml)(?!\S)", header)
    beside = join(parent(file), file.rpartition("/")[2].removesuffix(".txt") + ".in")
    for candidate in (*(project.at(word) for word in words), beside):
        if ".." not in candidate.split("/") and project.repository.is_file(candidate):
            return project.inside(candidate)
    return ""
