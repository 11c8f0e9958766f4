"""Detect the folder, the application in it, then the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dockertpl.detect.dockerfile import last_base
from dockertpl.detect.ending import conclude
from dockertpl.detect.facts import Detection
from dockertpl.detect.opened import Opened, compare
from dockertpl.detect.python.asgi import Candidate, best, python_files
from dockertpl.detect.python.choice import (
    IMPORT_STRING,
    applications_in,
    choose_application,
    choose_folder,
    folders_with_applications,
    import_string,
    newer_syntax,
)
from dockertpl.detect.python.conventions import PYTHONS, QUESTIONS
from dockertpl.detect.python.dynamic import find_install_files
from dockertpl.detect.python.extras import find_extras
from dockertpl.detect.python.front_end import find_front_end, settle_paths
from dockertpl.detect.python.git_version import find_git_version
from dockertpl.detect.python.health import health_routes
from dockertpl.detect.python.indexes import find_indexes, find_ssh
from dockertpl.detect.python.layout import find_groups, find_import_root, find_layout, find_name
from dockertpl.detect.python.local import find_local_files, find_local_packages
from dockertpl.detect.python.lock import Production, production
from dockertpl.detect.python.manager import Manager, find_manager
from dockertpl.detect.python.opened import of_variables, opened
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.server import find_options, find_server, named_server
from dockertpl.detect.python.serving import find_serving_groups
from dockertpl.detect.python.settings import find_settings
from dockertpl.detect.python.sources import all_starts, dockerfiles, from_code, project_folders
from dockertpl.detect.python.syntax import Code, Name
from dockertpl.detect.python.system_packages import find_system_packages
from dockertpl.detect.python.tools import find_manager_version, newest_python
from dockertpl.detect.python.versions import find_python
from dockertpl.detect.python.workspace import find_workspace, workspace_root
from dockertpl.detect.repository import Repository, is_within, join
from dockertpl.detect.tables import strings
from dockertpl.errors import NotDetectedError
from dockertpl.kinds import PYTHON_FASTAPI


def repository_of(root: Path) -> Repository:
    """Return a repository as it is read for an application in Python."""
    return Repository(root)


def applications(repository: Repository, folder: str | None) -> dict[str, str]:
    """Return the folders that hold FastAPI applications, each with where as `file:line`; with `folder`, that one."""
    projects = project_folders(repository)
    if folder is None:
        found = folders_with_applications(repository, projects)
    else:
        own = applications_in(repository, folder, projects) if repository.is_dir(folder) else []
        found = {folder: own} if own else {}
    return {name: f"{best(ones)[0].path}:{best(ones)[0].line}" for name, ones in sorted(found.items())}


def look_for_application(
    repository: Repository, app_dir: str | None, given: Mapping[str, Any]
) -> tuple[Detection, NotDetectedError | None]:
    """Return the facts, and an error if the application was not found or is one of several.

    Args:
        repository: The repository, from `repository_of`.
        app_dir: The application's folder, relative to the root. None to search for it.
        given: The known answers.

    Raises:
        BadInputError: A manifest or a lock is not valid.
    """
    projects = project_folders(repository)
    found = Detection()
    folder: str | None = app_dir if app_dir is not None else given.get("app_dir")
    note, problem = "", None
    if folder is None:
        folder, problem = choose_folder(repository, projects, found, given)
        note = "it has the only application"
    if folder is not None:
        found.answer("app_dir", folder, "" if folder == "." else folder, None, "" if folder == "." else note)
        problem = _describe(Project(repository, folder, given), found, projects | {folder})
    if unreadable := [place for place in repository.unreadable if is_within(place, folder or ".")]:
        found.warn(newer_syntax(unreadable))
    conclude(repository, found, folder, given, QUESTIONS)
    return found, problem


def _describe(project: Project, found: Detection, projects: frozenset[str]) -> NotDetectedError | None:
    """Fill `found` with everything about one folder; return the error if its application is not known."""
    repository, folder, given = project.repository, project.app_dir, project.given
    files = dockerfiles(repository, folder, projects)
    starts = all_starts(repository, folder, projects)
    code = Code(repository, folder, python_files(repository.files, folder))
    scripts = {start.script.rpartition("/")[2] for start in starts if start.script}
    served = set()
    for module in code.mentioning(r"\b(?:uvicorn|hypercorn|granian)\.(?:run|Config)\("):
        served.add(module.path.rpartition("/")[2])
        starts += from_code(module.tree, module.path, module.path.rpartition("/")[2] in scripts)
    starts.sort(key=lambda start: -start.weight)
    # The Dockerfile that starts a server is the application's, whatever it is called.
    serving = {start.path for start in starts if start.server or start.script.rpartition("/")[2] in served}
    files.sort(key=lambda path: path not in serving)
    chosen, problem = choose_application(project, found, code, starts, projects)
    if problem is None:
        path, line = (chosen.path, chosen.line) if chosen else (project.manifest if project.data else "", None)
        found.answer("kind", PYTHON_FASTAPI, path, line, "")

    root = workspace_root(repository, folder)
    try:
        manager = find_manager(project, found, root, files)
    except NotDetectedError as error:
        manager, problem = Manager(), problem or error
    wanted = named_server(chosen.starts) if chosen else ""
    locked = _locked(project, found, manager, files, wanted) if manager.name else None
    find_name(project, found)
    if root is not None:
        find_workspace(project, found, root)
    context = str(given.get("context", found.answers.get("context", folder)))
    find_local_packages(project, found, manager.name, manager.requirements_file, root, context)
    context = str(given.get("context", found.answers.get("context", folder)))
    find_local_files(project, found, manager.name, (manager.requirements_file, *manager.requirements_more), context)
    find_install_files(project, found, manager.name, context)
    find_manager_version(project, found, manager.name, root)
    tool_version = str(given.get("manager_version", found.answers.get("manager_version", "")))
    find_python(project, found, files, locked, newest_python(manager.name, tool_version))
    find_groups(project, found, manager.name)
    find_indexes(project, found, manager.name, manager.requirements_file, files)
    if locked:
        find_ssh(project, found, locked)
        python = str(given.get("python_version") or found.answers.get("python_version") or PYTHONS[0])
        find_system_packages(project, found, locked, files, python)
    if chosen:
        _application_answers(project, found, code, chosen, manager.name, files)
        start_folder = str(given.get("start_folder", found.answers.get("start_folder", "")))
        find_settings(code, found, chosen.path)
        started_in = join(folder, start_folder)
        everything = [*opened(code, chosen.path, started_in), *_of_settings(code, found, started_in)]
        everything = find_front_end(project, found, everything, files, workspace=root is not None)
        compare(repository, found, PYTHON_FASTAPI, folder, everything)
    members, local = (given.get(key, found.answers.get(key)) for key in ("workspace_packages", "local_packages"))
    find_git_version(project, found, [*strings(members), *(join(context, path) for path in strings(local))])
    if context == folder:  # else they are of the root already
        settle_paths(found, folder, given)
    own = [
        *(chosen.starts if chosen else ()),
        *(start for start in starts if not (start.target or start.file or start.script)),
    ]
    own.sort(key=lambda start: -start.weight)
    find_server(project, found, own, locked, files)
    first = next((start for start in own if start.weight >= 80 and start.before), None)
    if first:
        found.warn(
            f"{first.path}:{first.line} runs `{first.before}` before the server. The image only starts the "
            "server: run this command as a separate job with the same image."
        )
    find_options(project, found, own, files)
    for path in files:
        found.fact("dockerfile", path, path, None, last_base(repository.text(path) or ""))
    return problem


def _locked(
    project: Project, found: Detection, manager: Manager, dockerfiles: Sequence[str], wanted: str
) -> Production:
    """Answer `extras` and `groups` where they bring what serves it, and return what production installs with them."""
    place = (manager.name, manager.requirements_file, manager.lock)
    locked = production(project, *place, [one for file in manager.requirements_more for one in project.required(file)])
    if manager.name in ("pip", "pipenv"):
        return locked
    besides = find_extras(project, found, dockerfiles, locked, wanted)
    locked = production(project, *place, besides) if besides else locked
    grouped = find_serving_groups(project, found, manager.name, locked, wanted)
    return production(project, *place, (*besides, *grouped)) if grouped else locked


def _application_answers(
    project: Project, found: Detection, code: Code, chosen: Candidate, manager: str, files: Sequence[str]
) -> None:
    """Answer layout, app, app_file, app_factory and health_path."""
    target = next((start.target for start in chosen.starts if start.target), "")
    base = find_layout(project, found, code, chosen.path, manager, target, files)
    base = find_import_root(project, found, code, chosen, base)
    string = import_string(project, chosen, base)
    first = chosen.starts[0] if chosen.starts else None
    note = f"named by {first.path}:{first.line} ({first.what})" if first else ""
    if IMPORT_STRING.fullmatch(string):
        found.answer("app", string, chosen.path, chosen.line, note)
        found.answer("app_file", project.inside(chosen.path), chosen.path, None, "")
        found.answer("check_app", False, chosen.path, None, "it exists")
        found.answer("app_factory", chosen.factory, chosen.path, chosen.line, "a function" if chosen.factory else "")
    else:
        found.cannot_tell(
            "app",
            f"{chosen.path}:{chosen.line} holds an application, but {string} cannot be imported.",
            "Rename its folders so Python can import them, or set the folder with -d app_dir=….",
        )
    _health(found, code, chosen)


def _of_settings(code: Code, found: Detection, folder: str) -> Iterator[Opened]:
    """Yield what the values of the smoke test's variables name, which are those of the example file."""
    values = found.answers.get("smoke_test_env", {})
    if values:
        evidence = found.evidence["smoke_test_env"]
        yield from of_variables(code, folder, values, evidence.path, evidence.line)


def _health(found: Detection, code: Code, chosen: Candidate) -> None:
    routes, lost = health_routes(code, Name(chosen.path, chosen.name))
    if routes:
        route = routes[0]
        notes = [f"needs {', '.join(route.needs)}"] if route.needs else []
        notes += [f"with {', '.join(route.assumes)} as in the code"] if route.assumes else []
        found.answer("health_path", route.path, route.file, route.line, "; ".join(notes))
        return
    if lost:
        route = lost[0]
        found.cannot_tell(
            "health_path",
            f"{route.file}:{route.line} has a route {route.path}, but its full path is unknown.",
            "Set it with -d health_path=/…, or leave it empty: then any answer below 500 on / is healthy.",
        )
    else:
        found.answer("health_path", "", "", None, "no health route for a plain GET")
