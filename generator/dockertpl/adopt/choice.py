"""Choose the application's Dockerfile in a repository, and find its build context."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from dockertpl.adopt import bases
from dockertpl.detect import dockerfile as tolerant
from dockertpl.detect.compose import Build, builds
from dockertpl.detect.projects import is_dockerfile
from dockertpl.detect.repository import MAX_BYTES, is_within, join

# More files than a folder for Dockerfiles usually has.
_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A Dockerfile that may be the application's.

    Attributes:
        path: Its path, relative to the repository root.
        text: Its text.
        weight: Its score.
        context: The build context from a Compose file, or an empty string.
        named_by: The Compose files that build it.
    """

    path: str
    text: str
    weight: int
    context: str = ""
    named_by: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "dockerfiles.toml").read_text("utf-8"))


def candidates(root: Path, app_dir: str, kind: str, answers: Mapping[str, Any]) -> list[Candidate]:
    """Return the Dockerfiles that may build an application for production, the likeliest first.

    Search the application's folder, its parents, and their folders for Dockerfiles.

    Args:
        root: The repository root.
        app_dir: The application's folder.
        kind: The kind of image.
        answers: The detected answers `app` and `name`.
    """
    folders = list(_folders(root, app_dir))
    named = [build for folder in folders for build in _compose(root, folder)]
    workflows = "\n".join(_read(path) or "" for path in _files(root / ".github" / "workflows") if "y" in path.suffix)
    found = []
    for folder in folders:
        for file in _files(root / folder):
            path = join(folder, file.name)
            text = _read(file) if is_dockerfile(file.name) else None
            if text is None:
                continue
            by = [build for build in named if build.dockerfile == path]
            weight = _weight(path, text, app_dir, kind, answers, by)
            if weight is None:
                continue
            # A workflow builds the file, so it is probably for production.
            weight += 3 * bool(re.search(rf"(?<![\w./-])(?:\./)?{re.escape(path)}(?![\w.-])", workflows))
            context = next((build.context for build in by), "")
            named_by = tuple(dict.fromkeys(build.where for build in by))
            found.append(Candidate(path=path, text=text, weight=weight, context=context, named_by=named_by))
    return sorted(found, key=lambda one: (-one.weight, one.path))


def _folders(root: Path, app_dir: str) -> Iterator[str]:
    """Yield the folders to search: the application's, its parents, and their folders for Dockerfiles."""
    special = frozenset(_data()["folders"])
    here = PurePosixPath(app_dir)
    for folder in map(str, (here, *here.parents)):
        yield folder
        for below in _subfolders(root / folder):
            if below.name.lower() in special:
                path = join(folder, below.name)
                yield path
                for deeper in _subfolders(below)[:_MOST]:
                    yield join(path, deeper.name)


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _files(folder: Path) -> list[Path]:
    try:
        names = sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    except OSError:
        return []
    return names[:_MOST] if len(names) > _MOST and not (folder / "Dockerfile").is_file() else names


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8") if path.stat().st_size <= MAX_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None


def _compose(root: Path, folder: str) -> Iterator[Build]:
    for file in _files(root / folder):
        text = _read(file) if re.fullmatch(r"[\w.-]*compose[\w.-]*\.ya?ml", file.name) else None
        if text is not None:
            yield from builds(text, join(folder, file.name))


def _weight(
    path: str, text: str, app_dir: str, kind: str, answers: Mapping[str, Any], named: Sequence[Build]
) -> int | None:
    """Return a Dockerfile's score, or None if it is not for the application in production."""
    usual = path == join(app_dir, "Dockerfile")
    stages = tolerant.stages(text)
    if not stages:
        return None
    name = posixpath.basename(path).lower()
    if _is(name, "development") and not usual:
        return None
    known = bases.kind_of(tolerant.base_of(stages[-1], stages).base)[0]
    if known != kind and not usual:
        return None
    near = path if app_dir == "." else posixpath.relpath(path, app_dir)
    if app_dir != "." and not is_within(path, app_dir) and not _speaks_of(path, text, app_dir, named):
        return None
    weight = 4 * usual + 2 * is_within(path, app_dir) + (known == kind)
    weight += 5 * _is(name, "production") - 8 * _is(near.rpartition("/")[0], "development")
    weight += 3 * any(build.production for build in named) + bool(named)
    own = str(answers.get("app", "")).partition(":")[0]
    return weight + 4 * bool(own and re.search(rf"(?<![\w.]){re.escape(own)}\b", text))


def _is(name: str, what: str) -> bool:
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    return bool(words & set(_data()[what]))


def _speaks_of(path: str, text: str, app_dir: str, named: Sequence[Build]) -> bool:
    """Return whether a Dockerfile outside of an application's folder is for the application."""
    if any(build.context != "." and is_within(app_dir, build.context) for build in named):
        return True
    if re.search(rf"(?<![\w-]){re.escape(app_dir)}(?![\w-])", text):
        return True
    return posixpath.basename(app_dir).lower() in re.split(r"[^a-z0-9_-]+", path.lower())
