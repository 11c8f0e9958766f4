"""What a FastAPI application serves: its GET routes, and a file of each folder that it mounts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Served
from dockertpl.detect.python.application import repository_of
from dockertpl.detect.python.asgi import python_files
from dockertpl.detect.python.choice import applications_in
from dockertpl.detect.python.endpoints import routes
from dockertpl.detect.python.paths import Paths
from dockertpl.detect.python.routers import Routers, argument
from dockertpl.detect.python.sources import project_folders
from dockertpl.detect.python.syntax import Code, Name, dotted, keyword, string
from dockertpl.detect.repository import Repository, is_within, join, relative_to

_MAKES_ROUTES = r"\.(?:get|api_route|route|add_api_route|add_route)\("
_WITHOUT_PARAMETERS = re.compile(r"^[^{<*]*$")
_STATIC = re.compile(r"\.(?:css|js|svg|png|ico|txt|html|jpg|webp|woff2)$")


def served(root: Path, folder: str, answers: Mapping[str, Any]) -> Iterator[Served]:
    """Yield the routes and files of the application in a folder.

    Args:
        root: The repository's root.
        folder: The application's folder, relative to the root.
        answers: `app`, `app_file` and `start_folder`, where they are known.
    """
    repository = repository_of(root)
    app = _application(repository, folder, answers)
    if app is None:
        return
    code = Code(repository, folder, python_files(repository.files, folder))
    routers = Routers(code, app)
    places = routers.places()
    for owner, route in routes(routers, code.mentioning(_MAKES_ROUTES), _WITHOUT_PARAMETERS):
        for place in places.get(owner, []):
            yield Served(place.prefix + route.path or "/", "page", f"{route.file}:{route.line}")
    yield from _mounted(code, join(folder, str(answers.get("start_folder", ""))))


def _application(repository: Repository, folder: str, answers: Mapping[str, Any]) -> Name | None:
    file, app = answers.get("app_file"), str(answers.get("app", ""))
    if isinstance(file, str) and repository.is_file(join(folder, file)) and ":" in app:
        return Name(join(folder, file), app.rpartition(":")[2])
    found = applications_in(repository, folder, project_folders(repository))
    return Name(found[0].path, found[0].name) if found else None


def _mounted(code: Code, start: str) -> Iterator[Served]:
    """Yield one file of each folder that is mounted as it is."""
    paths = Paths(code, start)
    for module in code.mentioning(r"StaticFiles\("):
        for scope, call in module.calls:
            files = argument(call, 1) or keyword(call, "app")
            prefix = string(argument(call, 0) or keyword(call, "path"))
            if prefix is None or not isinstance(files, ast.Call) or not dotted(files.func).endswith("StaticFiles"):
                continue
            place = paths.place(keyword(files, "directory") or argument(files, 0), module, scope)
            if place is None or place.below:
                continue
            inside = [path for path in code.repository.files if is_within(path, place.path) and _STATIC.search(path)]
            if inside:
                file = min(inside, key=lambda path: (path.count("/"), path))
                yield Served(f"{prefix.rstrip('/')}/{relative_to(file, place.path)}", "file", file)
