"""Detect the services that an application needs, and the variables for their addresses."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dockertpl.detect.compose import compose_services
from dockertpl.detect.dotenv import find_example
from dockertpl.detect.node.modules import sources
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.prisma import schema_of
from dockertpl.detect.placeholders import database, is_placeholder
from dockertpl.detect.python.asgi import python_files
from dockertpl.detect.python.conventions import REQUIREMENTS
from dockertpl.detect.python.dialects import ASYNCHRONOUS, schemes
from dockertpl.detect.python.project import Dependency, Project, normalize
from dockertpl.detect.python.settings import read_settings
from dockertpl.detect.python.syntax import Code
from dockertpl.detect.repository import Repository, parent
from dockertpl.detect.tables import table
from dockertpl.detect.tomlfile import line_of
from dockertpl.errors import BadInputError

#: The entry of one service in data/services.toml.
Facts = Mapping[str, Any]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# os.getenv("X", "default"), os.environ.get("X") or "default", config("X", default="default"), env.str("X", "default")
_PYTHON = re.compile(
    rf"(?:\bgetenv\(|\benviron\.get\(|\benviron\[|\bconfig\(|\benv(?:\.\w+)?\()\s*[\"']({_NAME})[\"']"
    r"(?:(?:\s*,\s*(?:default\s*=\s*)?|\)\s*or\s+)[\"']([^\"'\n]*)[\"'])?"
)
# process.env.X ?? "default", process.env["X"], and env("X") of Prisma
_NODE = re.compile(
    rf"(?:\bprocess\.env(?:\.({_NAME})|\[\s*[\"']({_NAME})[\"']\s*\])|\benv\(\s*[\"']({_NAME})[\"']\s*\))"
    r"(?:\s*(?:\?\?|\|\|)\s*[\"'`]([^\"'`$\n]*)[\"'`])?"
)
_PROVIDER = re.compile(r"\bdatasource\s+\w+\s*\{[^}]*?\bprovider\s*=\s*\"(\w+)\"", re.DOTALL)
_COMPOSE = re.compile(r"(?:docker-)?compose[\w.-]*\.ya?ml")
#: Suffixes of variable names, by field.
_PARTS = {
    "host": "HOST|HOSTNAME|SERVER|ADDR",
    "port": "PORT",
    "user": "USER|USERNAME|LOGIN",
    "password": "PASSWORD|PASSWD|PASS|PWD",
    "database": "DB|DBNAME|NAME|DATABASE",
}
_ENCRYPTED = re.compile(r"(?:^|&)(?:ssl\w*|tls\w*|sslmode|channel_binding)=[^&]*", re.IGNORECASE)


class Source(NamedTuple):
    """The place that needs a service."""

    what: str
    path: str
    line: int | None

    def __str__(self) -> str:
        return f"{self.what} ({self.path}{f':{self.line}' if self.line else ''})"


@dataclass(frozen=True, kw_only=True)
class Application:
    """The evidence for services that an application needs.

    Attributes:
        python: Its distributions by normalized name.
        node: The packages of package.json.
        prisma: The provider of its Prisma schema.
        variables: Its variables with values from the example file, the code or the smoke test.
        images: The images of other services in Compose files.
        asynchronous: Whether it creates asynchronous SQLAlchemy engines.
        migration: The command for its database migrations, or an empty string.
    """

    python: Mapping[str, Source] = field(default_factory=dict)
    node: Mapping[str, Source] = field(default_factory=dict)
    prisma: Source | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    asynchronous: bool = False
    migration: str = ""

    def needs(self, facts: Facts) -> Source | None:
        """Return the evidence for a service, or None."""
        if self.prisma and self.prisma.what in facts["prisma"]:
            return self.prisma._replace(what="Prisma")
        for wanted, found in ((facts["python"], self.python), (facts["node"], self.node)):
            if name := next((name for name in wanted if name in found), None):
                return found[name]
        return None

    def asks_for(self, name: str, facts: Facts) -> str:
        """Return the value of --with for a service: its name with the version from the Compose file."""
        for image in self.images:
            if version := _tag(image, facts["image"]):
                return f"{name}:{version}"
            if any(_tag(image, other) for other in facts.get("compatible", ())):
                return f"{name}={image}"
        return name

    def scheme(self, facts: Facts) -> str:
        """Return the scheme of the application's addresses for a service, with its driver."""
        plain = str(facts["scheme"])
        return schemes(self.python.__contains__, asynchronous=self.asynchronous).get(plain, plain)

    def reads(self, facts: Facts) -> dict[str, str]:
        """Return the application's variables for a service's address, as templates."""
        found = {}
        for name, value in self.variables.items():
            if template := self._template(name, value, facts):
                found[name] = template
        return found

    def _template(self, name: str, value: str, facts: Facts) -> str:
        scheme, colon, _ = value.partition("://")
        base = scheme.partition("+")[0]
        if colon and base in (facts["scheme"], *facts["schemes"]):
            return "{url}" if is_placeholder(value) else _like(value, facts)
        if colon and base != "sqlite" and database(name) is None:
            return ""
        if database(name) is not None:
            meant = database(name) in facts["kinds"]
            # An address of a file may be for an SQL server. Any other address is for another server.
            replaced = not colon or (facts["secret"] and base in ("sqlite", "file"))
            return "{url}" if meant and replaced else ""
        stems = "|".join(facts["stems"])
        for part, ends in _PARTS.items():
            if re.search(rf"(?:^|_)(?:{stems})_*(?:{ends})$", name, re.IGNORECASE):
                return f"{{{part}}}"
        return ""


def look(root: Path, app_dir: str, given: Mapping[str, str]) -> Application:
    """Return the evidence for services that an application needs, from its files.

    Args:
        root: The repository root.
        app_dir: The application's folder, relative to the root.
        given: The variables of the smoke test.
    """
    repository = Repository(root)
    folders = list(_with_local_packages(repository, app_dir))
    python = {name: source for folder in reversed(folders) for name, source in _distributions(repository, folder)}
    node = {name: source for folder in reversed(folders) for name, source in _packages(repository, folder)}
    modules = [path for folder in folders for path in python_files(repository.files, folder)]
    modules += [path for path in repository.files if path.endswith("/env.py") and path not in modules]
    return Application(
        python=python,
        node=node,
        prisma=next(filter(None, (_prisma(repository, folder) for folder in folders)), None),
        variables=_variables(repository, app_dir, folders, modules, given),
        images=tuple(_images(repository)),
        asynchronous=any(ASYNCHRONOUS.search(repository.text(path) or "") for path in modules),
        migration=_migration(repository, app_dir, python),
    )


def _like(value: str, facts: Facts) -> str:
    """Turn an address into a template. The driver, database and options stay, the server is replaced."""
    scheme, _, rest = value.partition("://")
    base, plus, driver = scheme.partition("+")
    # `rediss`, `mongodb+srv`: encryption and SRV lookups do not work on a local network.
    kept = f"{facts['scheme'] if base in ('rediss',) or driver == 'srv' else base}{plus}{driver}".removesuffix("+srv")
    try:
        parts = urlsplit(f"x://{rest}")
    except ValueError:
        return "{url}"
    path = parts.path if not facts["secret"] and parts.path.strip("/") else "/{database}"
    query = _ENCRYPTED.sub("", parts.query).lstrip("&")
    return f"{kept}://{{authority}}{path}{f'?{query}' if query else ''}"


def _tag(image: str, name: str) -> str:
    """Return the tag if an image has this name in any registry, or an empty string."""
    match = re.fullmatch(rf"(?:[\w.:-]+/)*{re.escape(name)}:([\w.-]+)(?:@.*)?", image)
    return match[1] if match else ""


def _with_local_packages(repository: Repository, app_dir: str) -> Iterator[str]:
    """Yield the application's folder, and the folders of the repository's packages that it needs."""
    names: dict[str, str] = {}
    for path in repository.files:
        name = PurePosixPath(path).name
        if name in ("pyproject.toml", "package.json") and parent(path) != app_dir:
            with contextlib.suppress(BadInputError):
                folder = parent(path)
                own = (
                    Package(repository, folder).name
                    if name == "package.json"
                    else normalize(Project(repository, folder).name)
                )
                names.setdefault(own, folder)
    waiting, seen = [app_dir], set()
    while waiting:
        folder = waiting.pop(0)
        if folder in seen:
            continue
        seen.add(folder)
        yield folder
        asked = [name for name, _ in (*_distributions(repository, folder), *_packages(repository, folder))]
        waiting += [names[name] for name in asked if name in names]


def _distributions(repository: Repository, folder: str) -> Iterator[tuple[str, Source]]:
    project = Project(repository, folder)
    with contextlib.suppress(BadInputError):
        yield from _sources(repository, project.declared())
        for file in REQUIREMENTS:
            if project.has(file):
                yield from _sources(repository, project.required(project.at(file)))


def _sources(repository: Repository, asked: Iterable[Dependency]) -> Iterator[tuple[str, Source]]:
    for one in asked:
        name = re.escape(one.name).replace(r"\-", "[-_.]")
        line = one.line or line_of(repository.text(one.path) or "", rf"(?i)(?<![\w.-]){name}(?![\w.-])")
        source = Source(one.name, one.path, line)
        yield one.name, source
        for extra in sorted(one.extras):
            # psycopg[binary], redis[hiredis], sqlalchemy[asyncio]: an extra that is a separate distribution.
            yield f"{one.name}-{extra}", source
            if extra in ("asyncpg", "psycopg", "psycopg2", "aiomysql", "pymysql", "redis"):
                yield extra, source


def _packages(repository: Repository, folder: str) -> Iterator[tuple[str, Source]]:
    package = Package(repository, folder)
    with contextlib.suppress(BadInputError):
        for name in package.wants("dependencies", "optionalDependencies"):
            yield name, Source(name, *package.place(name))


def _prisma(repository: Repository, folder: str) -> Source | None:
    package = Package(repository, folder)
    with contextlib.suppress(BadInputError):
        schema = schema_of(package)
        paths = [path for path in repository.files if path == schema or parent(path) == schema]
        for path in paths:
            text = repository.text(path) or ""
            if match := _PROVIDER.search(text):
                return Source(match[1], path, text.count("\n", 0, match.end()) + 1)
    return None


def _variables(
    repository: Repository, app_dir: str, folders: list[str], modules: list[str], given: Mapping[str, str]
) -> dict[str, str]:
    """Return the application's variables with values from the smoke test, the example file or the code."""
    found: dict[str, str] = {}
    code = Code(repository, app_dir, modules)
    for path in modules:
        text = repository.text(path) or ""
        if "Settings" in text and (module := code.module(path)):
            _add(found, read_settings(code, module))
        _add(found, _PYTHON.findall(text))
    schemas = [path for path in repository.files if path.endswith(".prisma")]
    for path in (*sources(repository, folders), *schemas):
        text = repository.text(path) or ""
        if "env" in text:
            names = ((one or two or three, default) for one, two, three, default in _NODE.findall(text))
            _add(found, names)
    _, example = find_example(repository, (app_dir, "."))
    return {**found, **{name: value for name, value in example.items() if value or name not in found}, **given}


def _add(found: dict[str, str], read: Iterable[tuple[str, str]]) -> None:
    for name, default in read:
        found[name] = found.get(name) or default


def _images(repository: Repository) -> Iterator[str]:
    for path in repository.files:
        if _COMPOSE.fullmatch(PurePosixPath(path).name):
            for service in compose_services(repository.text(path) or "").values():
                if isinstance(image := service.get("image"), str):
                    # ${POSTGRES_IMAGE:-postgres:16}
                    yield re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", image)


def _migration(repository: Repository, app_dir: str, python: Mapping[str, Source]) -> str:
    project = Project(repository, app_dir)
    with contextlib.suppress(BadInputError):
        if "alembic" in python and (project.has("alembic.ini") or table(project.data, "tool", "alembic")):
            return "alembic upgrade head"
        if "aerich" in python:
            return "aerich upgrade"
        if "django" in python and project.has("manage.py"):
            return "python manage.py migrate"
    return ""
