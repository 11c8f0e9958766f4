"""Where a repository says how its application is started: Dockerfiles, Procfile, Compose, scripts, and its own code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from dockertpl.detect import dockerfile
from dockertpl.detect.compose import compose_services
from dockertpl.detect.projects import concerns, dockerfiles_of
from dockertpl.detect.python.starts import SERVERS, Start, commands_in, read_command
from dockertpl.detect.repository import Repository, clean, is_within, join, parent
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import line_of, toml_line
from dockertpl.errors import BadInputError

# Commands beyond it say nothing new.
_MOST = 500
MANIFESTS = re.compile(
    r"(?:pyproject\.toml|setup\.py|setup\.cfg|Pipfile|(?:[\w.-]*[-_.])?requirements(?:[-_.][\w.-]*)?\.(?:txt|in))$"
)
_PYTHON = re.compile(r"python|\buv\b|\bpip\b|poetry")
_COMPOSE = re.compile(r"(?:[\w-]*docker-)?compose[\w.-]*\.ya?ml|[\w-]+-compose\.ya?ml")


def project_folders(repository: Repository) -> frozenset[str]:
    """Return every folder with a manifest of dependencies; one of `requirements/prod.txt` is the folder above."""
    found = {"."}
    for path in repository.files:
        name = PurePosixPath(path).name
        folder = parent(path)
        if name in ("setup.py", "setup.cfg") and not re.search(
            r"setuptools|distutils|\[metadata\]", repository.text(path) or ""
        ):
            continue  # a module that is called so, or a linter's settings
        if MANIFESTS.fullmatch(name):
            # requirements.txt inside a package belongs to the project around it.
            if name == "pyproject.toml" or name == "Pipfile" or not repository.is_file(join(folder, "__init__.py")):
                found.add(folder)
        elif name.endswith((".txt", ".in")) and PurePosixPath(folder).name == "requirements":
            found.add(parent(folder))
    return frozenset(folder for folder in found if PurePosixPath(folder).name != "requirements")


def dockerfiles(repository: Repository, app_dir: str, projects: frozenset[str]) -> list[str]:
    """Return the Dockerfiles that may be this application's, the likeliest first."""
    return dockerfiles_of(repository, app_dir, projects, _PYTHON)


def all_starts(repository: Repository, app_dir: str, projects: frozenset[str]) -> list[Start]:
    """Return every command that starts an ASGI server and may mean this application, the weightiest first."""
    found: list[Start] = []
    for path in dockerfiles(repository, app_dir, projects):
        found += _from_dockerfile(repository, path)
    scripts = {PurePosixPath(start.file).name for start in found if start.file.endswith(".sh")}
    for path in repository.files:
        if concerns(path, app_dir, projects):
            found += _from_file(repository, path, app_dir, scripts)
    if app_dir != ".":
        # Of two equal words, the one in the application's own folder counts.
        found = [replace(start, weight=start.weight + 5 * is_within(start.path, app_dir)) for start in found]
    named = sorted((start for start in found if not start.file.endswith(".sh")), key=lambda start: -start.weight)
    return named[:_MOST]


def _from_file(repository: Repository, path: str, app_dir: str, scripts: set[str]) -> Iterator[Start]:
    name = PurePosixPath(path).name
    if name == "Procfile":
        yield from _from_procfile(repository, path)
    elif _COMPOSE.fullmatch(name):
        yield from _from_compose(repository, path, app_dir)
    elif name.endswith(".sh") or (name.startswith(("start", "entrypoint", "run")) and "." not in name):
        named = name in scripts
        yield from _from_text(
            repository, path, "script that the Dockerfile runs" if named else "script", 95 if named else 60
        )
    elif name.endswith((".conf", ".service")):
        yield from _from_text(repository, path, "service", 65)
    elif name.lower() in ("makefile", "justfile", "taskfile.yml", "tasks.toml", "package.json"):
        yield from _from_text(repository, path, "task", 50)
    elif name == "pyproject.toml":
        yield from _from_pyproject(repository, path)
    elif re.fullmatch(r"README(\.\w+)?", name, re.IGNORECASE):
        yield from _from_text(repository, path, "README", 30)


def _placed(start: Start, path: str, line: int | None, what: str, weight: int) -> Start:
    # What starts with --reload is for development: it names the application, and little else can be taken from it.
    return replace(start, path=path, line=line, what=what, weight=weight - 15 * start.reload)


def _from_dockerfile(repository: Repository, path: str) -> Iterator[Start]:
    found = dockerfile.stages(repository.text(path) or "")
    for stage in reversed(found):
        values = dockerfile.base_of(stage, found).environment() | stage.environment()
        entry, command = stage.last("ENTRYPOINT"), stage.last("CMD")
        for step in (command, entry):
            if step is None:
                continue
            words = dockerfile.words(step.value)
            if step is command and entry is not None:
                words = dockerfile.words(entry.value) + words
            weight = 100 if stage is found[-1] else 80
            if start := read_command(words, values):
                start = replace(start, search=start.search or values.get("PYTHONPATH", ""))
                yield _placed(start, path, step.line, f"the Dockerfile's {step.name}", weight)
            elif target := next((word for word in words if re.fullmatch(r"[a-z_][\w.]*:[A-Za-z_]\w*", word)), None):
                yield Start(target=target, path=path, line=step.line, what=f"the Dockerfile's {step.name}", weight=90)
            yield from (Start(file=word) for word in words if word.endswith(".sh"))
            for word in words:
                if word.endswith(".py") and start is None:
                    yield Start(
                        script=word, path=path, line=step.line, what=f"the Dockerfile's {step.name}", weight=weight
                    )


def _from_procfile(repository: Repository, path: str) -> Iterator[Start]:
    for number, line in enumerate((repository.text(path) or "").splitlines(), 1):
        process, _, command = line.partition(":")
        if start := read_command(dockerfile.split(command)):
            yield _placed(start, path, number, f"the {process.strip()} process", 90 if process == "web" else 70)


def _from_text(repository: Repository, path: str, what: str, weight: int) -> Iterator[Start]:
    text = repository.text(path) or ""
    for start, line in commands_in(text):
        yield _placed(start, path, line, what, weight)


def _from_pyproject(repository: Repository, path: str) -> Iterator[Start]:
    text = repository.text(path) or ""
    try:
        entry = table(repository.toml(path) or {}, "tool", "fastapi").get("entrypoint")
    except BadInputError:  # the code that needs this manifest reports it
        return
    if isinstance(entry, str) and re.fullmatch(r"[\w.]+:\w+", entry):
        yield Start(
            target=entry, path=path, line=toml_line(text, "tool", "fastapi", "entrypoint"), what="entrypoint", weight=92
        )
    yield from _from_text(repository, path, "task", 50)


def _from_compose(repository: Repository, path: str, app_dir: str) -> Iterator[Start]:
    text = repository.text(path) or ""
    if not any(server in text for server in (*SERVERS, "ports")):
        return
    for name, service in compose_services(text).items():
        if not _builds(service, path, app_dir):
            continue
        command = service.get("command")
        words = dockerfile.split(command) if isinstance(command, str) else strings(command)
        line = line_of(text, rf"^[ \t]+{re.escape(name)}[ \t]*:")
        # compose.override.yml and its like are for development.
        less = 20 * bool(re.search(r"override|dev|local|test", PurePosixPath(path).name))
        start = read_command(words)
        if start:
            yield _placed(start, path, line, f"the command of Compose's {name}", 70 - less)
        elif "build" in service and not less and (port := _published(service.get("ports"))):
            yield Start(port=port, path=path, line=line, what=f"the ports of Compose's {name}", weight=40)


def _builds(service: dict[str, Any], path: str, app_dir: str) -> bool:
    """Tell whether a service may be this application: it builds its folder, or says nothing of what it builds."""
    build = service.get("build")
    context = build.get("context", ".") if isinstance(build, dict) else build
    if not isinstance(context, str):
        return True
    dockerfile_path = build.get("dockerfile") if isinstance(build, dict) else None
    folder = clean(join(parent(path), context))
    if isinstance(dockerfile_path, str) and folder is not None:
        beside = clean(join(folder, parent(dockerfile_path)))
        return folder == app_dir or beside == app_dir or (is_within(app_dir, folder) and beside in (folder, None))
    return folder is None or is_within(app_dir, folder)


def _published(ports: Any) -> int | None:
    """Return the container's side of the one port that a service publishes."""
    if not isinstance(ports, list) or len(ports) != 1:
        return None
    port = ports[0].get("target") if isinstance(ports[0], dict) else ports[0]
    if not isinstance(port, str | int):
        return None
    number = re.fullmatch(r"([0-9]{1,5})(?:/tcp)?", str(port).rpartition(":")[2])
    return int(number[1]) if number else None


def from_code(tree: ast.Module, path: str, started: bool = False) -> Iterator[Start]:
    """Yield the calls `uvicorn.run("app.main:app", port=…)` of a module.

    Args:
        tree: The module.
        path: Its path.
        started: A Dockerfile starts this very file.
    """
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in ("run", "Config") or not isinstance(node.func.value, ast.Name):
            continue
        server = node.func.value.id
        if server not in ("uvicorn", "hypercorn", "granian"):
            continue
        values = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
        named = node.args[0] if node.args else next((word.value for word in node.keywords if word.arg == "app"), None)
        target = named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else ""
        if not re.fullmatch(r"[\w.]+:\w+", target):
            target = ""
        number = {key: value for key, value in values.items() if isinstance(value, int) and not isinstance(value, bool)}
        prefix = values.get("root_path")
        yield Start(
            server=server,
            target=target,
            factory=values.get("factory") is True,
            reload=values.get("reload") is True,
            port=number.get("port"),
            workers=number.get("workers"),
            root_path=prefix if isinstance(prefix, str) else None,
            proxy_headers=values.get("proxy_headers") is True,
            path=path,
            line=node.lineno,
            what=f"{server}.run",
            weight=95 if started else 55,
        )
