"""The answers files of a repository. Each path belongs to exactly one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockertpl.errors import BadInputError, DestinationError
from dockertpl.template.answers import read_mapping

_PATTERN = ".copier-answers*.yml"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """An answers file at a repository's root.

    Attributes:
        path: Its name.
        answers: Its content. Empty if it cannot be read.
        problem: Why it cannot be read, or an empty text. Then its template is unknown.
    """

    path: str
    answers: Mapping[str, Any]
    problem: str = ""

    @property
    def ours(self) -> bool:
        """Whether a template of dockertpl wrote it."""
        return {"kind", "name", "app_dir"} <= self.answers.keys()


def find(root: Path) -> list[Owner]:
    """Return every answers file at a repository's root, sorted by name. The root may not exist yet."""
    owners = []
    for path in sorted(root.glob(_PATTERN)):
        try:
            owners.append(Owner(path=path.name, answers=read_mapping(path)))
        except BadInputError as error:
            owners.append(Owner(path=path.name, answers={}, problem=error.message))
    return owners


def check_new(root: Path, *, answers_file: str, name: str, app_dir: str) -> None:
    """Refuse a new image if its paths belong to an existing answers file.

    Args:
        root: The repository's root.
        answers_file: The path of the new answers file.
        name: The new image's name.
        app_dir: Its application's folder.

    Raises:
        DestinationError: The paths are taken. The remedy names the command that changes the existing answers.
    """
    for owner in find(root):
        if owner.ours:
            same_name = owner.answers["name"] == name
            if not same_name and owner.path != answers_file and owner.answers["app_dir"] != app_dir:
                continue
            where = "the repository's root" if app_dir == "." else f"the folder {app_dir}"
            what = f"the name {name}" if same_name else where
            extra = "" if owner.path == ".copier-answers.yml" else f" --answers-file {owner.path}"
            raise DestinationError(
                f"{owner.path} already owns {what}.",
                f"Change its answers with: dockertpl update -d KEY=VALUE{extra}\n"
                "A second image needs another name and folder: -d name=NAME -d app_dir=FOLDER",
                answers_file=owner.path,
            )
        if owner.path == answers_file:
            raise DestinationError(
                f"{owner.path} already exists. It belongs to another template or cannot be read.",
                "Rename it, for example to .copier-answers.project.yml, and update that template with\n"
                "copier update -a .copier-answers.project.yml. Or give the image a folder with -d app_dir=FOLDER.",
                answers_file=owner.path,
            )
