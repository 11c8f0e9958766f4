"""One package.json, and which of a repository's folders hold a Next.js application."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from dockertpl.detect.jsonfile import json_line
from dockertpl.detect.node.conventions import CONFIGS, IGNORED_FOLDERS, NOT_DEPLOYED
from dockertpl.detect.repository import Repository, join, parent
from dockertpl.detect.tables import table

#: The tables of package.json in which a package is asked for.
TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
#: What npm and the others run when they install.
LIFECYCLE = ("preinstall", "install", "postinstall", "prepare", "pnpm:devPreinstall")
_WORD = re.compile(r"[\w@.:/-]+")


@dataclass(frozen=True)
class Package:
    """A folder with a package.json, or a project folder of Nx.

    Attributes:
        repository: The repository.
        folder: The folder, relative to the repository root.
        given: The known answers.
    """

    repository: Repository
    folder: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def at(self, name: str) -> str:
        """Return the path of a file in the folder, relative to the root."""
        return join(self.folder, name)

    def has(self, name: str) -> bool:
        """Tell whether the folder holds a file."""
        return self.repository.is_file(self.at(name))

    @property
    def path(self) -> str:
        """Return the path of package.json."""
        return self.at("package.json")

    @cached_property
    def data(self) -> dict[str, Any]:
        """Return the content of package.json, or an empty mapping.

        Raises:
            BadInputError: It is not valid JSON.
        """
        return self.repository.json(self.path) or {}

    def line(self, *keys: str) -> int | None:
        """Return the line of a key of package.json."""
        return json_line(self.repository.text(self.path) or "", *keys)

    def text(self, *keys: str) -> str:
        """Return the text at a path of keys, or an empty string."""
        value = table(self.data, *keys[:-1]).get(keys[-1])
        return value if isinstance(value, str) else ""

    @property
    def name(self) -> str:
        """Return the package's name, or an empty string."""
        return self.text("name")

    @cached_property
    def scripts(self) -> dict[str, str]:
        """Return the scripts."""
        return {key: value for key, value in table(self.data, "scripts").items() if isinstance(value, str)}

    def wants(self, *tables: str) -> dict[str, str]:
        """Return what is asked for, by name: its range.

        Args:
            tables: The tables to look in, by default all but the peers.
        """
        found: dict[str, str] = {}
        for key in reversed(tables or TABLES[:3]):
            found |= {name: text for name, text in table(self.data, key).items() if isinstance(text, str)}
        return found

    def place(self, name: str) -> tuple[str, int | None]:
        """Return where a dependency is asked for: file and line."""
        for key in TABLES:
            if name in table(self.data, key):
                return self.path, self.line(key, name)
        return self.path, None

    def runs(self, script: str, pattern: str) -> tuple[str, int | None] | None:
        """Tell whether a script, or one that it runs, matches; return that script's name and its line.

        Args:
            script: The script's name; what npm runs before and after it counts too.
            pattern: A regular expression.
        """
        for name in self.called(script):
            if re.search(pattern, self.scripts[name][:4096]):
                return name, self.line("scripts", name)
        return None

    def runs_next(self) -> bool:
        """Tell whether a script runs Next.js."""
        return any(re.search(r"\bnext\b", text) for text in self.scripts.values())

    def called(self, script: str) -> list[str]:
        """Return the names of a script, of what npm runs around it, and of the scripts that they run."""
        waiting, seen = [f"pre{script}", script, f"post{script}"], []
        while waiting:
            name = waiting.pop(0)
            if name in seen or name not in self.scripts:
                continue
            seen.append(name)
            words = _WORD.findall(self.scripts[name][:4096])
            # `npm run x`, `pnpm x`, `run-s x y`: any word behind a runner that is a script's name.
            if any(re.fullmatch(r"npm|pnpm|yarn|bun|npx|run-[sp]|npm-run-all\d?|concurrently", word) for word in words):
                waiting += [word.removeprefix("npm:") for word in words[1:]]
        return seen


def is_next(repository: Repository, folder: str) -> bool:
    """Tell whether a folder holds a Next.js application, as far as its files say.

    Raises:
        BadInputError: Its package.json is not valid.
    """
    package = Package(repository, folder)
    if "next" not in package.wants() and folder != ".":
        # Nx keeps the dependencies of all of its projects at the root; a project may have a package.json too.
        return has_config(package) and repository.is_file("nx.json")
    return "next" in package.wants() and (package.runs_next() or has_config(package) or has_pages(package))


def has_config(package: Package) -> bool:
    """Tell whether a folder holds a next.config."""
    return any(package.has(name) for name in CONFIGS)


def has_pages(package: Package) -> bool:
    """Tell whether a folder holds one of the folders that pages lie in."""
    return any(package.repository.is_dir(package.at(name)) for name in ("app", "pages", "src/app", "src/pages"))


def applications(repository: Repository) -> Iterator[str]:
    """Yield every folder with a Next.js application that may be deployed.

    Raises:
        BadInputError: A package.json that mentions Next.js is not valid.
    """
    nx = repository.is_file("nx.json")
    folders = {parent(path) for path in repository.files if PurePosixPath(path).name in ("package.json", *CONFIGS)}
    for folder in sorted(folders):
        if any(part.lower() in NOT_DEPLOYED for part in folder.split("/")):
            continue
        text = repository.text(join(folder, "package.json"))
        if (text is None or nx or '"next"' in text) and is_next(repository, folder):
            yield folder


def repository_of(root: Path) -> Repository:
    """Return a repository as it is read for an application in JavaScript."""
    return Repository(root, IGNORED_FOLDERS)


def folders(repository: Repository, folder: str | None) -> list[str]:
    """Return the folders that hold Next.js applications; with `folder`, that one if it does.

    Raises:
        BadInputError: A package.json that mentions Next.js is not valid.
    """
    if folder is not None:
        return [folder] if repository.is_dir(folder) and is_next(repository, folder) else []
    return list(applications(repository))
