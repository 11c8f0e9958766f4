"""One application's manifests: what pyproject.toml says, and which distributions it asks for directly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from dockertpl.detect.repository import Repository, join, parent
from dockertpl.detect.tables import strings, table
from dockertpl.detect.tomlfile import toml_line

_LONGEST = 1024
_INCLUDE = re.compile(r"(?:-[rc]|--requirement|--constraint)[ =]*([^\s#]+)")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(.*)")


@dataclass(frozen=True, kw_only=True)
class Dependency:
    """A distribution that is asked for, with its extras and where; a line only from a requirements file."""

    name: str
    extras: frozenset[str] = frozenset()
    constraint: str = ""
    marker: str = ""
    optional: bool = False
    path: str = ""
    line: int | None = None


def normalize(name: str) -> str:
    """Return a distribution's name in its normal form: lower case, with single dashes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement(text: str) -> Dependency | None:
    """Parse a requirement, such as `uvicorn[standard]>=0.30 ; python_version < "3.12"`. Return None if invalid."""
    match = _REQUIREMENT.fullmatch(text.strip())
    if not match or text.strip().startswith(("-", "#")):
        return None
    extras = frozenset(normalize(extra.strip()) for extra in (match[2] or "").split(",") if extra.strip())
    marker = match[3].partition(";")[2].strip()
    return Dependency(name=normalize(match[1]), extras=extras, constraint=match[3].strip(), marker=marker)


@dataclass(frozen=True)
class Project:
    """The folder of one application.

    Attributes:
        repository: Where it is read.
        app_dir: The folder.
        given: Answers that are known already.
    """

    repository: Repository
    app_dir: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def at(self, name: str) -> str:
        """Return the path of a file in the application's folder, relative to the root."""
        return join(self.app_dir, name)

    def has(self, name: str) -> bool:
        """Tell whether the application's folder holds a file."""
        return self.repository.is_file(self.at(name))

    @property
    def manifest(self) -> str:
        """Return the path of pyproject.toml."""
        return self.at("pyproject.toml")

    @cached_property
    def data(self) -> dict[str, Any]:
        """Return the content of pyproject.toml, or an empty mapping.

        Raises:
            BadInputError: It is not valid TOML.
        """
        return self.repository.toml(self.manifest) or {}

    def table(self, *keys: str) -> dict[str, Any]:
        """Return a table of pyproject.toml."""
        return table(self.data, *keys)

    def line(self, *keys: str) -> int | None:
        """Return the line of a key of pyproject.toml."""
        return toml_line(self.repository.text(self.manifest) or "", *keys)

    @property
    def name(self) -> str:
        """Return the project's name, or an empty string."""
        found = self.table("project").get("name") or self.table("tool", "poetry").get("name")
        return found if isinstance(found, str) else ""

    def declared(self) -> Iterator[Dependency]:
        """Yield what pyproject.toml, setup.cfg or Pipfile ask for in production."""
        for text in strings(self.table("project").get("dependencies")):
            if found := requirement(text):
                yield replace(found, path=self.manifest)
        for name, wanted in self.table("tool", "poetry", "dependencies").items():
            if normalize(name) != "python":
                yield poetry_dependency(name, wanted, self.manifest)
        yield from self._pipfile()
        yield from self._setup_cfg()

    def _pipfile(self, section: str = "packages") -> Iterator[Dependency]:
        path = self.at("Pipfile")
        for name, wanted in table(self.repository.toml(path), section).items():
            yield poetry_dependency(name, wanted, path)

    def development_packages(self) -> tuple[Dependency, ...]:
        """Return what a Pipfile asks for in development."""
        return tuple(self._pipfile("dev-packages"))

    def _setup_cfg(self) -> Iterator[Dependency]:
        import configparser

        path = self.at("setup.cfg")
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(self.repository.text(path) or "")
        except configparser.Error:
            return
        for line in parser.get("options", "install_requires", fallback="").splitlines():
            if found := requirement(line):
                yield replace(found, path=path)

    def required(self, file: str, seen: tuple[str, ...] = ()) -> Iterator[Dependency]:
        """Yield what a requirements file asks for, with the files that it includes.

        Args:
            file: Its path from the root.
            seen: The files that are being read.
        """
        if file in seen or len(seen) > 10:
            return
        for number, line in enumerate((self.repository.text(file) or "").splitlines(), 1):
            if not line or len(line) > _LONGEST:
                continue
            words = line.partition(" #")[0].split()
            text = " ".join(word for word in words if word != "\\" and not word.startswith("--hash="))
            if included := _INCLUDE.match(text):
                yield from self.required(join(parent(file), included[1]), (*seen, file))
            elif vcs := re.match(r"(?:-e )?git\+\S+(?:#egg=|/)([\w.-]+?)(?:\.git)?(?:[@#].*)?$", text):
                yield Dependency(name=normalize(vcs[1]), constraint=text, path=file, line=number)
            elif found := requirement(text):
                yield replace(found, path=file, line=number)

    def has_unread_requirements(self, file: str) -> bool:
        """Tell whether a requirements file, or one that it includes, asks for more than packages by their names."""
        texts = [self.repository.text(path) or "" for path in (file, *self.includes(file))]
        lines = (line.partition(" #")[0].strip() for text in texts for line in text.splitlines())
        asked = (line for line in lines if line and not line.startswith(("#", "--")) and not _INCLUDE.match(line))
        return any(requirement(re.split(r"\s(?:--hash|\\)", line)[0]) is None for line in asked)

    def includes(self, file: str) -> list[str]:
        """Return the files that a requirements file includes (`-r base.txt`), relative to the root."""
        lines = (self.repository.text(file) or "").splitlines()
        named = [match[1] for line in lines if (match := _INCLUDE.match(line.strip()))]
        return [join(parent(file), name) for name in named if "://" not in name]

    def inside(self, path: str) -> str:
        """Return a path as the application's folder sees it."""
        return path if self.app_dir == "." else PurePosixPath(path).relative_to(self.app_dir).as_posix()


def poetry_dependency(name: str, wanted: Any, path: str) -> Dependency:
    """Read a dependency as Poetry and Pipfile write them: a version, a table, or a list of tables."""
    first = wanted[0] if isinstance(wanted, list) and wanted else wanted
    details = first if isinstance(first, dict) else {}
    extras = frozenset(normalize(extra) for extra in strings(details.get("extras")))
    version = details.get("version") or (f"git+{details['git']}" if "git" in details else "") if details else first
    return Dependency(
        name=normalize(name),
        extras=extras,
        constraint=version if isinstance(version, str) else "",
        marker=details["markers"] if isinstance(details.get("markers"), str) else "",
        optional=details.get("optional") is True,
        path=path,
    )
