"""Front ends: folders whose build makes pages that something else serves, and which folder it makes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from dockertpl.detect.node.conventions import NOT_DEPLOYED
from dockertpl.detect.node.javascript import Source
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.workspace import resolved
from dockertpl.detect.repository import Repository, is_within, join, parent, relative_to
from dockertpl.detect.tables import table
from dockertpl.errors import BadInputError

#: The script that builds.
BUILD = "build"
_MOST = 100
_LONGEST = 4096
# What a statement ends with, or the next one begins with.
_STATEMENTS = frozenset([";", "const", "let", "var", "export", "import", "function", "module"])


@lru_cache(maxsize=1)
def data() -> dict[str, Any]:
    """Return data/front_ends.toml."""
    return tomllib.loads((Path(__file__).parent / "data" / "front_ends.toml").read_text("utf-8"))


@dataclass(frozen=True, kw_only=True)
class FrontEnd:
    """A folder with a package.json that has a script `build`.

    Attributes:
        package: The folder.
        outputs: The folders that the build makes, the likeliest first, relative to the repository's root.
        usual: Whether what it makes is unknown, so that any folder with a usual name in it may be meant.
    """

    package: Package
    outputs: tuple[str, ...]
    usual: bool = False

    @property
    def folder(self) -> str:
        """Return the folder."""
        return self.package.folder

    def makes(self, path: str) -> str:
        """Return the build's output folder that has a path, or an empty string.

        Args:
            path: A file or folder, relative to the repository's root.
        """
        for output in self.outputs:
            if is_within(path, output):
                return output
        if self.usual and is_within(path, self.folder) and path != self.folder:
            first = relative_to(path, self.folder).partition("/")[0]
            named = re.search(rf"(?<![\w-]){re.escape(first)}(?![\w-])", _commands(self.package))
            if (first in data()["usual"]["folders"] or named) and not _holds_another(self.package, first):
                return join(self.folder, first)
        # A folder that is served as a whole, into a part of which the build writes.
        return next((output for output in self.outputs if is_within(output, path)), "")


def front_end(repository: Repository, folder: str) -> FrontEnd | None:
    """Return the front end in a folder, None if it has no script that builds, or cannot be read.

    Args:
        repository: The repository.
        folder: The folder.
    """
    package = Package(repository, folder)
    try:
        if BUILD not in package.scripts:
            return None
    except BadInputError:
        return None
    outputs, known = _outputs(package)
    return FrontEnd(package=package, outputs=outputs, usual=not known)


def front_ends(repository: Repository) -> Iterator[FrontEnd]:
    """Yield every front end of a repository, the deepest folders first.

    Args:
        repository: The repository.
    """
    folders = [parent(path) for path in repository.files if PurePosixPath(path).name == "package.json"]
    deployed = [one for one in folders if not any(part.lower() in NOT_DEPLOYED for part in one.split("/"))]
    for folder in sorted(deployed, key=lambda one: (-one.count("/") if one != "." else 1, one))[:_MOST]:
        if found := front_end(repository, folder):
            yield found


def _commands(package: Package) -> str:
    return "\n".join(package.scripts[name][:_LONGEST] for name in package.called(BUILD))


def _holds_another(package: Package, name: str) -> bool:
    """Tell whether a folder of the front end is a package, and so no output."""
    return package.repository.is_file(join(package.folder, name, "package.json"))


def _outputs(package: Package) -> tuple[tuple[str, ...], bool]:
    """Return where the build writes, and whether that is all that it may be."""
    found = [flag for pattern in data()["flags"]["patterns"] for flag in re.findall(pattern, f" {_commands(package)}")]
    wanted = package.wants()
    bundler: dict[str, Any] = next((one for one in data()["bundlers"] if wanted.keys() & set(one["packages"])), {})
    known, uses_default = bool(bundler), []
    bases = ["."]
    for text in _configurations(package, bundler.get("files", [])):
        source = Source(text)
        set_to = [values for key in bundler["keys"] for values in _settings(source, key)]
        found += [value for values in set_to for value in (*values, "/".join(values)) if value]
        # A computed value is unknown here.
        known = known and all(set_to)
        uses_default.append(not set_to)
        bases += [value for key in bundler.get("bases", ()) for values in _settings(source, key) for value in values]
    found += _of_angular(package)
    if any(uses_default) or not uses_default:
        found += bundler.get("default", [])
    places = [resolved(package.folder, join(base, value)) for value in found for base in bases if _is_path(value)]
    return tuple(dict.fromkeys(place for place in places if place and place != package.folder and place != ".")), known


def _is_path(value: str) -> bool:
    return re.fullmatch(r"[\w@./-]+", value) is not None and not value.startswith("/")


def _configurations(package: Package, patterns: Sequence[str]) -> Iterator[str]:
    for path in package.repository.listed(package.folder, ".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"):
        if any(fnmatchcase(PurePosixPath(path).name, pattern) for pattern in patterns):
            yield package.repository.text(path) or ""


def _settings(source: Source, key: str) -> Iterator[list[str]]:
    """Yield the texts in each value that a key is set to, none where it is computed from no text."""
    for index, token in enumerate(source.tokens[:-1]):
        name = source.literal(index) if token.kind == "string" else token.text
        if name != key or source.at(index - 1) not in ("{", ","):
            continue
        if source.at(index + 1) == ":":
            end = source.end_of(index + 2, len(source.tokens), frozenset([",", ";", "}"]))
            yield _texts(source, index + 2, end) or _texts(source, *_declared(source, source.at(index + 2)))
        elif source.at(index + 1) in (",", "}"):
            yield _texts(source, *_declared(source, key))


def _texts(source: Source, start: int, end: int) -> list[str]:
    return [text for at in range(start, end) if (text := source.literal(at))]


def _declared(source: Source, name: str) -> tuple[int, int]:
    """Return where the value of a constant begins and ends; an empty range if it is not declared here."""
    for index in range(len(source.tokens)):
        if source.at(index) in ("const", "let", "var") and source.at(index + 1) == name:
            start = index + 3
            stops = (at for at in range(start, len(source.tokens)) if source.at(at) in _STATEMENTS)
            return start, next(stops, len(source.tokens))
    return 0, 0


def _of_angular(package: Package) -> Iterator[str]:
    try:
        projects = table(package.repository.json(package.at("angular.json")), "projects")
    except BadInputError:
        return
    for name, project in projects.items():
        for key in ("architect", "targets"):
            options = table(project, key, "build", "options")
            path = options.get("outputPath", f"dist/{name}" if options else None)
            path = path.get("base") if isinstance(path, dict) else path
            if isinstance(path, str):
                yield path.strip("/")
