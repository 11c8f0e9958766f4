"""Compare the paths that sources open with the build context and the image, for every kind."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dockertpl.detect.facts import Detection
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.repository import Repository, is_within, join, parent, relative_to

if TYPE_CHECKING:
    import pathspec

_MOST = 8
#: Files that keep an empty folder in git.
PLACEHOLDERS = frozenset([".gitkeep", ".keep", ".gitignore", ".empty", "README.md"])
# Writable in every container.
_TEMPORARY = ("/tmp", "/dev", "/proc", "/run", "/var/tmp")  # noqa: S108  (in the container)


class Opened(NamedTuple):
    """One path that the sources open.

    Attributes:
        path: Relative to the repository root, or absolute in the container.
        how: How it is used: "served" for a folder that must exist, read, or written as a file or folder. "public" is
            read and not a secret, whatever its name.
        below: Whether only its folder is known.
        source: The file that opens it.
        line: The line there.
    """

    path: str
    how: Literal["served", "read", "public", "file", "folder"]
    below: bool
    source: str
    line: int

    @property
    def where(self) -> str:
        """Return the place as `file:line`."""
        return f"{self.source}:{self.line}"


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "ignored.toml").read_text("utf-8"))


def left_out(kind: str) -> tuple[str, ...]:
    """Return the patterns of a kind's ignore file for files that an application may read."""
    data = _data()
    return tuple([f"**/{one}" for one in data["everywhere"][kind]] + [f"/{one}" for one in data["folder"][kind]])


@lru_cache(maxsize=4)
def _spec(kind: str) -> pathspec.GitIgnoreSpec:
    import pathspec

    return pathspec.GitIgnoreSpec.from_lines(left_out(kind))


@lru_cache(maxsize=1)
def _secret() -> pathspec.GitIgnoreSpec:
    import pathspec

    return pathspec.GitIgnoreSpec.from_lines(_data()["secret"]["patterns"])


def dropped(repository: Repository, kind: str, app_dir: str) -> frozenset[str]:
    """Return the application's files that its ignore file excludes from the build context."""
    inside = (file for file in repository.files if is_within(file, app_dir))
    return frozenset(file for file in inside if _spec(kind).match_file(relative_to(file, app_dir)))


def compare(repository: Repository, found: Detection, kind: str, app_dir: str, opened: Iterable[Opened]) -> None:
    """Answer `context_files`, `writable` and `writable_files`, and warn about files that the image cannot have.

    Args:
        repository: The repository.
        found: Collects answers and warnings.
        kind: The kind of image.
        app_dir: The application's folder.
        opened: The paths that its sources open.
    """
    context = str(found.answers.get("context", app_dir))
    everything = list(dict.fromkeys(_in_repository(one, context) for one in opened))
    written = _find_written(repository, found, app_dir, everything)
    included: dict[str, Opened] = {}
    for one in everything:
        if one.how in ("file", "folder") or one.path.startswith("/") or any(is_within(one.path, w) for w in written):
            continue
        _read(repository, found, kind, app_dir, one, included)
    if included:
        first = next(iter(included.values()))
        paths = sorted(relative_to(path, context) for path in included if is_within(path, context))
        found.answer("context_files", paths, first.source, first.line, "read there")


def _in_repository(one: Opened, context: str) -> Opened:
    """Return the repository path that is copied to a path in /app."""
    inside = one.path.removeprefix("/app/")
    return one if inside == one.path or not inside else one._replace(path=join(context, inside))


def _read(
    repository: Repository, found: Detection, kind: str, app_dir: str, one: Opened, included: dict[str, Opened]
) -> None:
    path = one.path
    if one.how == "public":
        included[path] = one
        return
    is_folder = repository.is_dir(path)
    if not is_folder and not repository.is_file(path):
        if one.how == "served" and path != ".":
            found.warn(_missing(repository, one))
        return
    if not is_within(path, app_dir):
        if not is_within(path, str(found.answers.get("context", app_dir))) and not _secret().match_file(path):
            verb = "serves" if one.how == "served" else "reads"
            found.warn(f"{one.where} {verb} {path}, which is not in the build context: move it into {app_dir}.")
        return
    if one.how == "served" and (rule := ignored_by(repository, path)):
        found.warn(_not_in_git(one, f"{rule.path}:{rule.line} excludes it from git"))
    files = [file for file in repository.files if is_within(file, path)] if is_folder else [path]
    inside = {file: relative_to(file, app_dir) for file in files}
    if not is_folder and _secret().match_file(inside[path]):
        found.warn(
            f"{one.where} reads {path}, which the ignore file excludes as a possible secret. If it is public, add "
            f"-d context_files='[{path}]'. Otherwise mount it when the container starts."
        )
        return
    taken = [file for file in files if _spec(kind).match_file(inside[file])]
    if not taken:
        return
    whole = is_folder and (len(taken) > _MOST or len(taken) == len(files))
    for file in [path] if whole else taken:
        if not any(is_within(file, other) for other in included):
            included[file] = one


def _missing(repository: Repository, one: Opened) -> str:
    if rule := ignored_by(repository, one.path):
        return _not_in_git(one, f"{rule.path}:{rule.line} excludes it from git")
    return _not_in_git(one, "it is not in the repository")


def _not_in_git(one: Opened, why: str) -> str:
    return (
        f"{one.where} serves {one.path}, but {why}, so an image from a clone does not have it. If a front end's build "
        "creates it, build it in a stage of the Dockerfile (`-d more_regions=true`, region `stages`), or commit it."
    )


def _find_written(repository: Repository, found: Detection, app_dir: str, opened: Sequence[Opened]) -> list[str]:
    """Answer `writable` and `writable_files`, and return all written paths."""
    folders: dict[str, Opened] = {}
    files: dict[str, Opened] = {}
    for one in opened:
        if one.how not in ("file", "folder") or one.path.startswith(_TEMPORARY):
            continue
        outside = not one.path.startswith("/") and not is_within(one.path, app_dir)
        if outside or (one.path in (".", "/", app_dir)):
            continue
        folder = one.path if one.how == "folder" or one.below else parent(one.path)
        if folder not in (app_dir, ".", "/") and _is_free(repository, folder):
            folders.setdefault(folder, one)
        elif one.how == "file" and not one.below and not one.path.startswith("/") and not repository.is_file(one.path):
            files.setdefault(one.path, one)
    outer = [folder for folder in folders if not any(folder != other and is_within(folder, other) for other in folders)]
    if outer:
        first = folders[outer[0]]
        shown = [folder if folder.startswith("/") else relative_to(folder, app_dir) for folder in sorted(outer)]
        found.answer("writable", shown, first.source, first.line, "the code writes there")
    names = {PurePosixPath(path).name for path in files}
    if files and len(names) == len(files):
        first = next(iter(files.values()))
        shown = [relative_to(path, app_dir) for path in sorted(files)]
        found.answer("writable_files", shown, first.source, first.line, "a link into /data, where a volume keeps it")
    return [*folders, *files]


def _is_free(repository: Repository, folder: str) -> bool:
    """Return whether a folder has no files for the image, so a tmpfs or volume can cover it."""
    if folder.startswith("/"):
        return True
    names = [PurePosixPath(file).name for file in repository.files if is_within(file, folder)]
    # Files of a local run are not part of the application.
    return all(name in PLACEHOLDERS for name in names) or ignored_by(repository, folder) is not None
