"""Choose the application's folder and the application in it, or return an error."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.projects import project_of
from dockertpl.detect.python.asgi import Candidate, Finder, best, python_files, with_starts
from dockertpl.detect.python.layout import src_is_package
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.starts import Start
from dockertpl.detect.python.syntax import Code
from dockertpl.detect.repository import Repository, is_within
from dockertpl.errors import NotDetectedError

IMPORT_STRING = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def newer_syntax(places: Sequence[str]) -> str:
    """Return the sentence on Python files that the running Python cannot read."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    some = ", ".join(places[:2]) + (f" and {len(places) - 2} more" if len(places) > 2 else "")
    return (
        f"{some}: a syntax error, or syntax newer than the Python {version} that dockertpl runs on. These files "
        "were not read."
    )


def _candidates(repository: Repository, folder: str, projects: frozenset[str], only: str | None) -> list[Candidate]:
    """Return the applications below a folder; with `only`, those of that one project."""
    code = Code(repository, folder, python_files(repository.files, folder))
    if only is not None:
        code = Code(repository, folder, [path for path in code.files if project_of(path, projects) == only])
    return Finder(code).candidates()


def folders_with_applications(repository: Repository, projects: frozenset[str]) -> dict[str, list[Candidate]]:
    """Return the folders with applications: only the root if it is one, otherwise the projects below."""
    if own := _candidates(repository, ".", projects, "."):
        return {".": own}
    by_folder: dict[str, list[Candidate]] = {}
    for candidate in _candidates(repository, ".", projects, None):
        by_folder.setdefault(project_of(candidate.path, projects), []).append(candidate)
    return by_folder


def applications_in(repository: Repository, folder: str, projects: frozenset[str]) -> list[Candidate]:
    """Return the applications of one folder, the best first."""
    return _best_first(_candidates(repository, folder, projects | {folder}, folder))


def _best_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    top = best(candidates) if candidates else []
    return [*top, *(one for one in candidates if one not in top)]


def choose_folder(
    repository: Repository, projects: frozenset[str], found: Detection, given: Mapping[str, Any]
) -> tuple[str | None, NotDetectedError | None]:
    """Return the folder of the one application: the root if it is one itself, else the one project below that is."""
    by_folder = folders_with_applications(repository, projects)
    if "." in by_folder:
        return ".", None
    app = given.get("app")
    if isinstance(app, str):
        having = {folder: ones for folder, ones in by_folder.items() if _has_module(repository, folder, app)}
        by_folder = having or {".": []}
    if len(by_folder) == 1:
        return next(iter(by_folder)), None
    if not by_folder:
        return None, nothing(repository, ".")
    lines = []
    for folder, ones in sorted(by_folder.items()):
        first = best(ones)[0]
        found.fact("application", folder, first.path, first.line, first.name)
        lines.append(f"-d app_dir={folder}  ({first.path}:{first.line})")
    folders = ", ".join(sorted(by_folder))
    return None, NotDetectedError(
        f"The repository has several applications: {folders}.",
        "Choose one, or run once for each:\n" + "\n".join(lines),
        candidates=sorted(by_folder),
    )


def _has_module(repository: Repository, folder: str, app: str) -> bool:
    return Code(repository, folder, ()).find(app.partition(":")[0]) is not None


def nothing(repository: Repository, folder: str) -> NotDetectedError:
    """Return the error for a missing application, with the searched places."""
    where = "the repository" if folder == "." else folder
    files = set(python_files(repository.files, folder))
    remedy = (
        "Looked for `app = FastAPI(...)` and for functions that return one, in "
        f"{len(files)} Python file{'s' if len(files) != 1 else ''}; not in "
        "tests, documents, examples and migrations.\n"
        "Name it with -d app=package.module:app, and its folder with -d app_dir=folder if that is not the root."
    )
    if repository.unreadable:
        remedy += f"\n{newer_syntax(repository.unreadable)}"
    others = [
        path for path in repository.files if path.endswith(".py") and is_within(path, folder) and path not in files
    ]
    hidden = Finder(Code(repository, folder, [path for path in others if "/test" not in f"/{path}"])).candidates()
    for candidate in hidden[:3]:
        remedy += f"\nOne looks like an example: {candidate.path}:{candidate.line}."
    return NotDetectedError(f"No FastAPI application was found in {where}.", remedy)


def choose_application(
    project: Project, found: Detection, code: Code, starts: Sequence[Start], projects: frozenset[str]
) -> tuple[Candidate | None, NotDetectedError | None]:
    """Return the application of a folder, or the error that says why it is not known."""
    given = project.given.get("app")
    if isinstance(given, str):
        return _given_application(project, found, code, starts, given), None
    if not project.repository.is_dir(project.app_dir):
        return None, NotDetectedError(
            f"{project.app_dir} is not a folder of the repository.", "Name the application's folder with -d app_dir=…."
        )
    own = [path for path in code.files if project_of(path, projects) == project.app_dir]
    candidates = with_starts(Finder(Code(project.repository, project.app_dir, own)).candidates(), starts, code)
    if not candidates:
        return None, nothing(project.repository, project.app_dir)
    top = best(candidates)
    for candidate in sorted(candidates, key=lambda one: one.path):
        if candidate not in top and not candidate.factory:
            found.fact(
                "other_application",
                f"{candidate.path}:{candidate.line}",
                candidate.path,
                candidate.line,
                candidate.name,
            )
    if len(top) == 1:
        return top[0], None
    lines = []
    for candidate in top:
        base = _base_folder(project, code, candidate)
        string = import_string(project, candidate, base)
        flag = " -d app_factory=true" if candidate.factory else ""
        lines.append(f"-d app={string}{flag}  ({candidate.path}:{candidate.line})")
        found.fact("application", string, candidate.path, candidate.line)
    where = "The repository" if project.app_dir == "." else project.app_dir
    return None, NotDetectedError(
        f"{where} has {len(top)} applications, and it is unclear which one is served.",
        "Choose one:\n" + "\n".join(lines),
        candidates=[line.split("  ")[0].removeprefix("-d ") for line in lines],
    )


def _given_application(
    project: Project, found: Detection, code: Code, starts: Sequence[Start], given: str
) -> Candidate | None:
    name, _, attribute = given.partition(":")
    path = code.find(name) if IMPORT_STRING.fullmatch(given) else None
    module = code.module(path) if path else None
    if path is None or module is None or not module.binds(attribute):
        found.warn(f"{given} was not found in {project.app_dir}, so facts about it may be wrong.")
        return None
    factory = attribute in module.functions
    candidate = Candidate(path=path, name=attribute, line=1, factory=factory)
    return with_starts([candidate], starts, code)[0]


def _base_folder(project: Project, code: Code, chosen: Candidate) -> str:
    inside = project.inside(chosen.path)
    target = next((start.target for start in chosen.starts if start.target), "")
    return "src" if inside.startswith("src/") and not src_is_package(project, code, target) else "."


def import_string(project: Project, chosen: Candidate, base: str) -> str:
    """Return an application as module:attribute, relative to `base` in its folder."""
    inside = project.inside(chosen.path)
    inside = inside if base == "." else inside.removeprefix(f"{base}/")
    return inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".") + f":{chosen.name}"
