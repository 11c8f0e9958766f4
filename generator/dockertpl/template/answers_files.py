"""Which answers file owns which paths of a repository: each path belongs to exactly one."""

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
        answers: What it holds; empty where it cannot be read.
        problem: Why it cannot be read, or nothing. Whose it is, is not known then.
    """

    path: str
    answers: Mapping[str, Any]
    problem: str = ""

    @property
    def ours(self) -> bool:
        """Whether a template of dockertpl wrote it."""
        return {"kind", "name", "app_dir"} <= self.answers.keys()


def find(root: Path) -> list[Owner]:
    """Return every answers file at a repository's root, by name.

    Args:
        root: The repository's root; it may not exist yet.
    """
    owners = []
    for path in sorted(root.glob(_PATTERN)):
        try:
            owners.append(Owner(path=path.name, answers=read_mapping(path)))
        except BadInputError as error:
            owners.append(Owner(path=path.name, answers={}, problem=error.message))
    return owners


def check_new(root: Path, *, answers_file: str, name: str, app_dir: str) -> None:
    """Refuse a new image whose paths belong to an answers file that is already there.

    Args:
        root: The repository's root.
        answers_file: Where the new answers file would be.
        name: The new image's name.
        app_dir: Its application's folder.

    Raises:
        DestinationError: They do; the remedy names the command that changes those answers.
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
                "A second image needs a name and a folder of its own: -d name=NAME -d app_dir=FOLDER",
                answers_file=owner.path,
            )
        if owner.path == answers_file:
            raise DestinationError(
                f"{owner.path} is there already, and another template's or not to be read.",
                "Give it a name of its own, such as .copier-answers.project.yml, and update that template with\n"
                "copier update -a .copier-answers.project.yml; or give the image a folder with -d app_dir=FOLDER.",
                answers_file=owner.path,
            )
