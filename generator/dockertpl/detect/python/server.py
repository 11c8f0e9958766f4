"""The server and how it is started: which one, port, workers, root path, proxy headers."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.groups import offered_groups
from dockertpl.detect.python.lock import Production
from dockertpl.detect.python.project import Dependency, Project
from dockertpl.detect.python.starts import Start
from dockertpl.detect.python.syntax import string
from dockertpl.detect.repository import Repository

# A command below this weight (a README's) only shows the application, and nothing about production.
_PRODUCTION = 50
FRAMEWORKS = frozenset({"fastapi", "fastapi-slim", "starlette", "cadwyn"})
_ROOT_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_IS_SERVER = re.compile(r"\b(?:uvicorn|gunicorn|hypercorn|granian)\b|fastapi\[")
_ADD = {
    "uv": "uv add uvicorn",
    "poetry": "poetry add uvicorn",
    "pdm": "pdm add uvicorn",
    "pipenv": "pipenv install uvicorn",
}


def named_server(starts: Sequence[Start]) -> str:
    """Return the server that the weightiest command for production starts, empty if none does."""
    named = _named(starts)
    return named.server if named else ""


def _named(starts: Sequence[Start]) -> Start | None:
    return next((start for start in starts if start.server and start.weight >= _PRODUCTION), None)


def find_server(
    project: Project,
    found: Detection,
    starts: Sequence[Start],
    locked: Production | None,
    dockerfiles: Sequence[str] = (),
) -> None:
    """Answer `server`, what starts the application now or a dependency that can, and `gunicorn_worker`.

    Args:
        project: The application's folder.
        found: Where answer and warnings go.
        starts: The commands that start this application, the weightiest first.
        locked: What production installs, if that is known.
        dockerfiles: Existing Dockerfiles, which may install a server that no manifest names.
    """
    named = _named(starts)
    if locked is None or not locked.packages:
        if named:
            found.answer("server", named.server, named.path, named.line, named.what)
        return
    have = servers(locked.packages, locked.direct)
    if named and named.server in have:
        found.answer("server", named.server, named.path, named.line, named.what)
    elif server := next((server for server in have if server in locked.direct), have[0] if have else ""):
        through = server if server in locked.packages else "fastapi"
        path, line = locked.place(through, project.repository)
        found.answer("server", server, path, line, "a dependency")
        if named:
            found.warn(
                f"{named.path}:{named.line} starts {named.server}, which is not a dependency, so {server} is used."
            )
    else:
        _say_none(project, found, locked, dockerfiles)
    if found.answers.get("server") == "gunicorn" and not {"uvicorn", "uvicorn-worker"} & {*locked.packages, *have}:
        found.warn(
            f"{locked.path} has gunicorn, but not uvicorn, whose workers serve ASGI. Add it: {_add(project, found)}."
        )
    if found.answers.get("server") == "gunicorn" and "uvicorn-worker" in locked.packages:
        where = locked.place("uvicorn-worker", project.repository)
        found.answer("gunicorn_worker", "uvicorn_worker.UvicornWorker", *where)
    if not FRAMEWORKS & set(locked.packages):
        found.warn(f"{locked.path} does not have fastapi in production. Check whether it is in a group or an extra.")


def servers(packages: Collection[str], direct: Mapping[str, Dependency]) -> list[str]:
    """Return the servers that are installed, in the order in which they are taken.

    Args:
        packages: The distributions that are installed, by normal name.
        direct: What is asked for directly, by normal name; without a lock its extras tell what they bring.
    """
    have = [name for name in ("gunicorn", "granian", "hypercorn", "uvicorn") if name in packages]
    fastapi = direct.get("fastapi")
    brings = (
        fastapi and {"standard", "standard-no-fastapi-cloud-cli", "all"} & fastapi.extras
    ) or "fastapi-cli" in packages
    return have if "uvicorn" in have or not brings else [*have, "uvicorn"]


def _say_none(project: Project, found: Detection, locked: Production, dockerfiles: Sequence[str]) -> None:
    """Stop where what production installs is known in full and holds no server; warn where it may hold one."""
    manager = _manager(project, found)
    remedy = f"Add one: {_add(project, found)}."
    message = f"{locked.path} has no ASGI server."
    if group := _server_for_development(project, manager):
        message = f"{locked.path} has no ASGI server for production: {group} is for development."
        if manager != "pipenv":
            remedy += f"\nOr install that group, too: -d groups='[{group.split()[-1]}]'"
    texts = (project.repository.text(path) or "" for path in dockerfiles)
    runs = (words for text in texts for words, _ in dockerfile.run_commands(text))
    if not locked.is_complete or any("install" in words and _IS_SERVER.search(" ".join(words)) for words in runs):
        found.warn(f"{message} {remedy}")
    else:
        found.cannot_build("server", message, remedy)


def _server_for_development(project: Project, manager: str) -> str:
    """Return a server that is only in development, in words that end in the group's name, or an empty string."""
    groups = {"dev-packages": project.development_packages()} if manager == "pipenv" else offered_groups(project)
    for name, needs in groups.items():
        by_name = {need.name: need for need in needs}
        if have := servers(by_name, by_name):
            return f"{have[-1]} in the group {name}"
    return ""


def _manager(project: Project, found: Detection) -> str:
    return str(project.given.get("manager") or found.answers.get("manager"))


def _add(project: Project, found: Detection) -> str:
    manager = _manager(project, found)
    file = found.answers.get("requirements_file", "requirements.txt")
    return f"`{_ADD[manager]}`" if manager in _ADD else f"uvicorn in {file if manager == 'pip' else 'pyproject.toml'}"


def find_options(project: Project, found: Detection, starts: Sequence[Start], dockerfiles: Sequence[str]) -> None:
    """Answer `port`, `workers`, `root_path` and `proxy_headers` from the commands that start the application."""
    everything = [start for start in starts if start.weight >= _PRODUCTION]
    everything += [start for first in everything if first.config for start in _gunicorn(project.repository, first)]
    everything += _exposed(project.repository, dockerfiles)
    everything += [start for start in starts if start.weight < _PRODUCTION]
    everything.sort(key=lambda start: -start.weight)
    _port(found, everything)
    production = [start for start in everything if not start.reload and start.weight >= _PRODUCTION]
    many = next((start for start in production if start.workers is not None), None)
    if many and many.workers and 1 <= many.workers <= 64:
        found.answer("workers", many.workers, many.path, many.line, many.what)
    prefixed = next((start for start in production if start.root_path), None)
    if prefixed and _ROOT_PATH.fullmatch(prefixed.root_path or ""):
        found.answer("root_path", prefixed.root_path, prefixed.path, prefixed.line, prefixed.what)
    server = found.answers.get("server", project.given.get("server", "uvicorn"))
    behind = next((start for start in production if start.proxy_headers), None)
    if behind and server in ("uvicorn", "gunicorn"):
        found.answer("proxy_headers", True, behind.path, behind.line, behind.what)


def _port(found: Detection, starts: Sequence[Start]) -> None:
    listens = next((start for start in starts if start.port), None)
    if listens is None or listens.port is None:
        return
    if 1024 <= listens.port <= 65535:
        found.answer("port", listens.port, listens.path, listens.line, listens.what)
    elif listens.weight >= _PRODUCTION:
        found.warn(
            f"{listens.path}:{listens.line} listens on port {listens.port}, which not every platform allows for a "
            "user other than root. The image listens on another port: change the port that forwards to it."
        )


def _exposed(repository: Repository, dockerfiles: Sequence[str]) -> Iterator[Start]:
    for path in dockerfiles[:1]:
        stages = dockerfile.stages(repository.text(path) or "")
        if stages and (found := dockerfile.exposed(stages)):
            port, line, what = found
            yield Start(port=port, path=path, line=line, what=what, weight=85 if what == "EXPOSE" else 84)


def _gunicorn(repository: Repository, start: Start) -> Iterator[Start]:
    """Read `bind` and `workers` of a gunicorn settings file where they are literals or defaults of a variable."""
    name = start.config.rpartition("/")[2]
    path = next((path for path in repository.files if path.rpartition("/")[2] == name and name.endswith(".py")), "")
    tree = repository.tree(path) if path else None
    for node in tree.body if tree else ():
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        value = node.value
        if isinstance(value, ast.Call) and len(value.args) == 2:  # os.getenv("BIND", "0.0.0.0:8000")
            value = value.args[1]
        here = replace(start, port=None, workers=None, path=path, line=node.lineno, what="gunicorn's settings")
        if node.targets[0].id == "bind" and (match := re.search(r":(\d{1,5})$", string(value) or "")):
            yield replace(here, port=int(match[1]))
        if node.targets[0].id == "workers" and isinstance(value, ast.Constant) and isinstance(value.value, int):
            yield replace(here, workers=value.value)
