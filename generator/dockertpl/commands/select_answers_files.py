"""Select the answers files of a repository to act on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from dockertpl.errors import BadInputError
from dockertpl.template.answers_files import find

_CORRECT = "Correct it first. A merge of two branches may have left its markers there."


def chosen(root: Path, app_dir: str | None, destination: Path, answers_files: Sequence[Path]) -> list[str]:
    """Return the names of the answers files to act on, each at the root.

    Args:
        root: The repository's root.
        app_dir: The application's folder, if the destination is one.
        destination: The destination of the command line, for errors.
        answers_files: The files of the command line. Empty means all, or the application's.

    Raises:
        BadInputError: No answers file was found, a given one is not dockertpl's, or one cannot be read.
    """
    found = find(root)
    ours = {owner.path: owner for owner in found if owner.ours}
    problems = {owner.path: owner.problem for owner in found if owner.problem}
    if answers_files:
        names = []
        for file in answers_files:
            path = file if file.is_file() else root / file
            if path.resolve().parent == root.resolve() and path.name in problems:
                raise BadInputError(problems[path.name], _CORRECT)
            if path.resolve().parent != root.resolve() or path.name not in ours:
                raise BadInputError(
                    f"--answers-file {file}: not a dockertpl answers file in {root}.",
                    f"Use one of {', '.join(ours)}." if ours else "Create one with: dockertpl new",
                )
            names.append(path.name)
        return list(dict.fromkeys(names))
    mine = [path for path, owner in ours.items() if app_dir in (None, owner.answers["app_dir"])]
    if problems and (app_dir is None or not mine):
        others = " ".join(f"--answers-file {shlex.quote(path)}" for path in mine)
        raise BadInputError(next(iter(problems.values())), _CORRECT + (f"\nWithout it: {others}" if others else ""))
    if not mine:
        raise BadInputError(
            f"{destination} has no dockertpl answers file.",
            f"Create an image's files first, with: dockertpl new {destination}"
            + (f"\nThe answers files of the repository are in {root}: {', '.join(ours)}." if ours else ""),
        )
    return mine
