"""Find the Dockerfile to build and its build context, from the answers files or a path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from dockertpl.errors import BadInputError
from dockertpl.kinds import SHARED_BASE
from dockertpl.template import answers_files


class Subject(NamedTuple):
    """An image to build.

    Attributes:
        name: The image's name, from its answers file or else the folder.
        dockerfile: An absolute path to a file. Base images have none there.
        context: The absolute path of the build context.
        kind: The kind in the answers file, or None without an answers file.
        environment: The variables of the smoke test, from the answers file.
        answers: All answers of the answers file.
    """

    name: str
    dockerfile: Path
    context: Path
    kind: str | None
    environment: Mapping[str, str] = MappingProxyType({})
    answers: Mapping[str, Any] = MappingProxyType({})


def locate(destination: Path, dockerfile: Path | None = None) -> Subject:
    """Find the Dockerfile to build and its context.

    Args:
        destination: A repository's root, or an application's folder in it.
        dockerfile: The Dockerfile, relative to here or to the destination. None finds the only one.

    Raises:
        BadInputError: No Dockerfile was found, or several, or an answers file leads out of the repository.
    """
    folder = destination.resolve()
    if not folder.is_dir():
        if folder.is_file():
            raise BadInputError(
                f"{destination} is a file.", "Give the repository's folder. Name a Dockerfile with --file."
            )
        raise BadInputError(f"{destination}: no such folder.", "Give the repository's root.")
    owned = list(_owned(folder))
    if dockerfile is not None:
        return _chosen(folder, dockerfile, owned)
    # At the root, look at every image of the repository; in an application's folder, only at its own.
    mine = [subject for root, subject in owned if root == folder or subject.dockerfile.parent == folder]
    # Base images do not count beside their dependents.
    mine = [subject for subject in mine if subject.kind != SHARED_BASE] or mine
    if len(mine) > 1:
        raise BadInputError(
            f"{destination} has several images: {', '.join(sorted(subject.name for subject in mine))}.",
            "Name one by its Dockerfile:\n"
            + "\n".join(sorted(f"  --file {_relative(subject.dockerfile, folder)}" for subject in mine)),
        )
    subject = mine[0] if mine else _plain(folder, folder / "Dockerfile")
    if subject.kind != SHARED_BASE and not subject.dockerfile.is_file():
        raise BadInputError(
            f"{destination} has no {_relative(subject.dockerfile, folder)}.",
            "Create one with `dockertpl new`, or name yours with --file.",
        )
    return subject


def locate_all(destination: Path) -> list[Subject]:
    """Return every image of a repository that can run, sorted by name.

    Raises:
        BadInputError: No answers file has such an image, or one leads out of the repository.
    """
    folder = destination.resolve()
    owned = [subject for root, subject in _owned(folder) if root == folder and subject.kind != SHARED_BASE]
    if not owned:
        raise BadInputError(
            f"{destination} has no answers file of an image that can run.",
            "Give the repository's root, or leave --all out.",
        )
    return sorted(owned, key=lambda subject: subject.name)


def image_name(text: str) -> str:
    """Turn text into the last part of an image's name: lower case, with single separators."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "app"


def _chosen(folder: Path, dockerfile: Path, owned: list[tuple[Path, Subject]]) -> Subject:
    path = dockerfile if dockerfile.exists() else folder / dockerfile
    if not path.is_file():
        raise BadInputError(f"--file {dockerfile}: no such file.", "Create one with `dockertpl new`.")
    path = path.resolve()
    return next((subject for _, subject in owned if subject.dockerfile == path), _plain(folder, path))


def _plain(folder: Path, dockerfile: Path) -> Subject:
    return Subject(image_name(folder.name), dockerfile, folder, None)


def _owned(folder: Path) -> Iterator[tuple[Path, Subject]]:
    """Yield a folder and an image for each answers file here and above, up to the repository's root."""
    for root in (folder, *folder.parents):
        for owner in answers_files.find(root):
            if owner.ours:
                yield root, _subject(root, owner)
        if (root / ".git").exists():
            return
        if not any((parent / ".git").exists() for parent in root.parents):
            return


def _subject(root: Path, owner: answers_files.Owner) -> Subject:
    name, app_dir, kind = (str(owner.answers[key]) for key in ("name", "app_dir", "kind"))
    context = str(owner.answers.get("context", app_dir))
    folder = (root / app_dir).resolve()
    dockerfile = (folder / "Dockerfile").resolve()
    if context not in (app_dir, ".") or not (folder.is_relative_to(root) and dockerfile.is_relative_to(root)):
        raise BadInputError(
            f"{owner.path} leads out of the repository (app_dir {app_dir!r}, context {context!r}).",
            "Both must be folders below the repository's root, and the Dockerfile must not link to elsewhere.",
        )
    given = owner.answers.get("smoke_test_env")
    environment = {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}
    return Subject(image_name(name), dockerfile, root if context == "." else folder, kind, environment, owner.answers)


def _relative(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path
