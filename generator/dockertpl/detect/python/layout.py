"""How the code is laid out: flat, src or package; the readme that its build asks for; groups, name."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.naming import folder_name, image_name
from dockertpl.detect.python.asgi import Candidate
from dockertpl.detect.python.groups import production_groups
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.starts import Start
from dockertpl.detect.python.syntax import Code
from dockertpl.detect.repository import is_within, join, relative_to
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import line_of

# A README's command shows the application, but may have the wrong folder.
_SAYS_WHERE = 50
_PATH = re.compile(r"[A-Za-z0-9_.@+-]+(?:/[A-Za-z0-9_.@+-]+)*")


def find_layout(
    project: Project, found: Detection, code: Code, app_file: str, manager: str, target: str, dockerfiles: Sequence[str]
) -> str:
    """Answer `layout` and `readme`, and return the base folder of imports (".", "src", or the package's folder).

    Args:
        project: The application's folder.
        found: Collects answers.
        code: Its Python files.
        app_file: The application's file, relative to the root.
        manager: The package manager.
        target: The import string of its start command, or an empty string.
        dockerfiles: Existing Dockerfiles, the likeliest first.
    """
    inside = project.inside(app_file)
    base = "src" if inside.startswith("src/") and not src_is_package(project, code, target) else "."
    built, line = _is_built(project, manager, dockerfiles)
    if built:
        folders = [base, *(folder for folder in _package_folders(project) if inside.startswith(f"{folder}/"))]
        base = folders[-1]
        top = inside if base == "." else inside.removeprefix(f"{base}/")
        top = top.partition("/")[0]
        if reason := _left_out(project, base, top):
            found.answer("layout", "src" if base == "src" else "flat", project.manifest, line, reason)
            return "src" if base == "src" else "."
        found.answer("layout", "package", project.manifest, line, "built and installed")
        _find_readme(project, found)
        return base
    if base == "src":
        found.answer("layout", "src", app_file, None, "in src/, which is not a package")
    else:
        found.answer("layout", "flat", app_file, None, "")
    return base


def src_is_package(project: Project, code: Code, target: str) -> bool:
    """Tell whether modules are imported as `src.x`.

    Args:
        project: The application's folder.
        code: Its Python files.
        target: The import string of a command that starts it, or an empty string.
    """
    if target:
        return target.startswith("src.")
    if project.has("src/__init__.py"):
        return True
    return next(iter(code.mentioning(r"(?m)^[ \t]*(?:from|import)[ \t]+src\b")), None) is not None


def _is_built(project: Project, manager: str, dockerfiles: Sequence[str]) -> tuple[bool, int | None]:
    """Tell whether the manager builds and installs the project itself, and the line that says so."""
    uv, poetry, pdm = (project.table("tool", name) for name in ("uv", "poetry", "pdm"))
    system = bool(project.table("build-system"))
    line = project.line("build-system")
    if manager == "uv":
        if isinstance(uv.get("package"), bool):
            return uv["package"], project.line("tool", "uv", "package")
        return system, line
    if manager == "poetry":
        if poetry.get("package-mode") is False:
            return False, project.line("tool", "poetry", "package-mode")
        return bool(project.name), project.line("tool", "poetry") or line
    if manager == "pdm":
        if isinstance(pdm.get("distribution"), bool):
            return pdm["distribution"], project.line("tool", "pdm", "distribution")
        return system, line
    if manager in ("pip", "pipenv") and _runs_uninstalled(project, dockerfiles):
        return False, line
    return system and bool(project.name), line


def _runs_uninstalled(project: Project, dockerfiles: Sequence[str]) -> bool:
    """Tell whether an existing Dockerfile installs dependencies and not the project itself."""
    for path in dockerfiles[:1]:
        commands = [words for words, _ in dockerfile.run_commands(project.repository.text(path) or "")]
        installs = [words for words in commands if {"install", "sync"} & set(words)]
        itself = re.compile(r"\.(?:/|\[.*)?|.*\.whl|setup\.py")
        return bool(installs) and not any(itself.fullmatch(word) for words in installs for word in words)
    return False


def _package_folders(project: Project) -> list[str]:
    """Return the folders that packages are taken from, where the manifest names other ones than the root and src."""
    packages = project.table("tool", "poetry").get("packages")
    entries = [entry for entry in packages if isinstance(entry, dict)] if isinstance(packages, list) else []
    folders = [entry["from"].strip("/") for entry in entries if isinstance(entry.get("from"), str)]
    folders += strings(project.table("tool", "setuptools", "packages", "find").get("where"))
    backend = project.table("tool", "uv", "build-backend")
    if isinstance(backend.get("module-root"), str):
        folders.append(backend["module-root"].strip("/"))
    return [folder for folder in folders if folder not in ("", ".")]


def _build_settings(project: Project) -> Iterator[tuple[str, str]]:
    """Yield (key, text) for every text in the settings of a build backend, with the nearest key that has a name."""
    tables = {"poetry": ("packages", "include"), "uv": ("build-backend",), "pdm": ("build",), "flit": ("module",)}
    tables |= {"hatch": ("build",), "setuptools": ("packages", "py-modules", "package-dir")}
    waiting: list[tuple[str, Any]] = [
        (key, project.table("tool", name).get(key)) for name, keys in tables.items() for key in keys
    ]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, list):
            waiting += [(key, item) for item in value]
        elif isinstance(value, dict):
            waiting += [(name or key, item) for name, item in value.items()]


def _left_out(project: Project, base: str, top: str) -> str:
    """Return why the package that is built lacks the application, empty if it holds it."""
    module = top.removesuffix(".py")
    name = re.sub(r"[-_.]+", "_", project.name).lower()
    if module.lower() == name:
        return ""
    for key, value in _build_settings(project):
        inside = re.sub(r"^\./|[/*]+$", "", value)
        if key in ("where", "from", "module-root", "sources", "package-dir"):
            if base != "." and inside == base:
                return ""
            continue
        inside = inside if base == "." else inside.removeprefix(f"{base}/")
        if inside in (module, f"{module}.py") or inside.startswith(f"{module}/"):
            return ""
    unnamed = "poetry" if project.table("tool", "poetry") else "setuptools"
    backend = str(project.table("build-system").get("build-backend", unnamed))
    if "setuptools" in backend and not top.endswith(".py"):
        return ""  # it finds the only package, or the packages in src, on its own
    return f"{top} is not part of the package {project.name or 'that is built'}"


def _find_readme(project: Project, found: Detection) -> None:
    for keys in (("project",), ("tool", "poetry")):
        value = project.table(*keys).get("readme")
        if isinstance(value, dict):
            value = value.get("file")
        if isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, str):
            continue
        line = project.line(*keys, "readme")
        if _PATH.fullmatch(value) and ".." not in value.split("/") and project.has(value):
            found.answer("readme", value, project.manifest, line, "")
        elif "setuptools" not in str(project.table("build-system").get("build-backend", "setuptools")):
            found.cannot_build(
                "readme",
                f"{project.manifest}:{line} names the readme {value}, which is not in {project.app_dir}, so the "
                "package cannot be built.",
                "Commit the readme there, or remove that line.",
            )
        return


def find_groups(project: Project, found: Detection, manager: str) -> None:
    """Answer `groups`, what production installs besides; and `dev_groups`, the group `dev` if there is one."""
    if manager not in ("uv", "poetry", "pdm", "pyproject"):
        return
    if "groups" not in found.answers and (groups := production_groups(project.data, manager)):
        place = ("poetry", "group", groups[0]) if manager == "poetry" else ("uv", "default-groups")
        found.answer("groups", groups, project.manifest, project.line("tool", *place), "installed by default")
    for keys in (
        ("dependency-groups", "dev"),
        ("tool", "uv", "dev-dependencies"),
        ("tool", "poetry", "group", "dev"),
        ("tool", "poetry", "dev-dependencies"),
        ("tool", "pdm", "dev-dependencies", "dev"),
    ):
        if keys[-1] in table(project.data, *keys[:-1]):
            found.answer("dev_groups", ["dev"], project.manifest, project.line(*keys), "")
            return
    found.answer("dev_groups", [], project.manifest, None, "no group named dev")


def find_name(project: Project, found: Detection) -> None:
    """Answer `name`: the application's folder, or at the root the project's name."""
    if name := folder_name(project.app_dir):
        found.answer("name", name, project.app_dir, None, "the folder's name")
    elif name := image_name(project.name):
        keys = ("project", "name") if project.table("project") else ("tool", "poetry", "name")
        found.answer("name", name, project.manifest, project.line(*keys), "the project's name")


def find_import_root(project: Project, found: Detection, code: Code, chosen: Candidate, base: str) -> str:
    """Answer `import_root` and `start_folder` where the application is started below its folder; return the root.

    `cd backend && uvicorn main:app` imports from backend and opens files there. Code that imports its neighbors by
    their bare names needs the first.

    Args:
        project: The application's folder.
        found: Where answers go.
        code: Its Python files.
        chosen: The application.
        base: The folder that imports were taken to be relative to.
    """
    beside = project.inside(chosen.path).rpartition("/")[0]
    if not beside or beside == base or found.answers.get("layout") == "package":
        return base
    for start in chosen.starts:
        started, searched = (_below(word, beside, base) for word in (start.folder, start.search))
        started = started or _started_in(project, code, chosen, start, beside, base)
        if folder := started or searched:
            found.answer("layout", "flat", chosen.path, None, "")
            note = "it is started there" if started else "imports are looked for there"
            found.answer("import_root", folder, start.path, start.line, note)
            if started:
                found.answer("start_folder", folder, start.path, start.line, note)
            return folder
    if wrong := _import_below(project, code, chosen.path, base):
        folder, name, line = wrong
        found.answer("layout", "flat", chosen.path, None, "")
        found.answer("import_root", folder, chosen.path, line, f"imports {name} from {folder}")
        return folder
    return base


def _below(word: str, beside: str, base: str) -> str:
    """Return a folder of a command as one of the application's, empty if it is not one around the application."""
    folder = word.strip("/").removeprefix("./")
    is_below = not word.startswith(("/", "$", "~")) and folder not in ("", ".", base) and is_within(beside, folder)
    return folder if is_below else ""


def _started_in(project: Project, code: Code, chosen: Candidate, start: Start, beside: str, base: str) -> str:
    """Return the base folder of a command's import string, or an empty string if it is not below.

    A server imports modules from its working directory. So `uvicorn main:app` for backend/main.py runs in backend,
    because of a WORKDIR, a Compose file or an earlier line.
    """
    file = project.inside(chosen.path).removesuffix(".py").removesuffix("/__init__")
    module = start.module.replace(".", "/")
    says = start.weight >= _SAYS_WHERE and not start.search and not start.what.endswith(".run")
    if not module or not says or not file.endswith(f"/{module}"):
        return ""
    folder = _below(file.removesuffix(f"/{module}"), beside, base)
    known = code.module(chosen.path)
    root = join(project.app_dir, base)
    for source, level, _ in known.imports.values() if folder and known else ():
        first = source.partition(".")[0]
        above, below = (_is_module(project, join(each, first)) for each in (root, join(project.app_dir, folder)))
        if first and not level and above and not below:
            return ""
    return folder


def _is_module(project: Project, path: str) -> bool:
    return project.repository.is_file(f"{path}.py") or project.repository.is_dir(path)


def _import_below(project: Project, code: Code, app_file: str, base: str) -> tuple[str, str, int] | None:
    """Return (folder, module, line) of an import that needs a folder above the application on the path."""
    module = code.module(app_file)
    if module is None:
        return None
    repository = project.repository
    root = join(project.app_dir, base)
    above = [
        folder for folder in map(str, PurePosixPath(app_file).parents) if folder != root and is_within(folder, root)
    ]
    for source, level, _ in module.imports.values():
        first = source.partition(".")[0]
        if level or not first or first in sys.stdlib_module_names:
            continue
        if repository.is_file(join(root, f"{first}.py")) or repository.is_dir(join(root, first)):
            continue
        for folder in above:
            names = [join(folder, f"{first}.py"), join(folder, first, "__init__.py")]
            if any(map(repository.is_file, names)) or is_within(app_file, join(folder, first)):
                line = line_of(module.text, rf"^[ \t]*(?:from|import)[ \t]+{re.escape(first)}\b") or 1
                return relative_to(folder, project.app_dir), first, line
    return None
