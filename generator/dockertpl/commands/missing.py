"""Why an image lacks a file that a step or the application needs."""

from __future__ import annotations

import json
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.root import repository_root
from dockertpl.errors import BadInputError, NotDetectedError
from dockertpl.kinds import PYTHON_FASTAPI

if TYPE_CHECKING:
    from dockertpl.detect.repository import Repository

_HOME = PurePosixPath("/app")  # where the images have the build context
_LONGEST = 1 << 17
_FOLDERS = ("frontend", "frontend_output", "frontend_root")


def explain(subject: Subject, path: str, workdir: str = "/app") -> str:
    """Return why a file or folder is not in the image, and what to do. Empty if that is unknown.

    Args:
        subject: The image.
        path: The path as the log has it.
        workdir: The folder in the image that the path is relative to.
    """
    place = PurePosixPath(workdir, path)
    if not place.is_relative_to(_HOME) or ".." in place.parts or place == _HOME:
        return ""
    inside = place.relative_to(_HOME).as_posix()
    if (subject.context / inside).exists():
        return _ignored(subject, inside)
    return _absent(subject, inside)


def _ignored(subject: Subject, inside: str) -> str:
    import pathspec

    own = subject.dockerfile.with_name(f"{subject.dockerfile.name}.dockerignore")
    file = next((one for one in (own, subject.context / ".dockerignore") if one.is_file()), None)
    if file is None:
        return ""
    # The last line that matches counts, and each line is anchored.
    rule = 0
    for number, raw in enumerate(file.read_text("utf-8", "replace")[:_LONGEST].splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").lstrip("/")
        try:
            hit = pathspec.GitIgnoreSpec.from_lines([f"/{pattern}"]).match_file(inside)
        except ValueError:
            continue
        if hit:
            rule = 0 if line.startswith("!") else number
    if not rule:
        return ""
    how = (
        f"  dockertpl update -d context_files='[{inside}]'        (the whole list, including that path)"
        if subject.kind
        else f"  add the line !{inside} to it"
    )
    where = f"line {rule} of {file.name}"
    return f"{inside} is in the repository, but {where} excludes it from the image. Let it through:\n{how}"


def _absent(subject: Subject, inside: str) -> str:
    from dockertpl.detect.repository import Repository, join

    root, folder = repository_root(subject.context)
    path = join(folder or ".", inside)
    rule = ignored_by(Repository(root), path)
    if rule is None:
        return f"{inside} is not in the repository. Commit it, or create it before the application needs it."
    where = f"{rule.path}:{rule.line}"
    if subject.kind == PYTHON_FASTAPI and (answers := _front_end(Repository(root), path, folder or ".")):
        return (
            f"{inside} is not in the repository: {where} excludes it from Git, and a front-end build creates it.\n"
            f"Let the image build it:\n  dockertpl update {answers}"
        )
    return (
        f"{inside} is not in the repository: {where} excludes it from Git. If a front-end build creates it, run that\n"
        "build before the image's build, or in a stage of the Dockerfile (region `stages`):\n"
        "  dockertpl update -d more_regions=true"
    )


def _front_end(repository: Repository, path: str, context: str) -> str:
    """Return the options for the front end that creates a path. Empty if it is outside the build context."""
    from dockertpl.detect.node.front_end_build import find_build
    from dockertpl.detect.node.front_ends import front_ends
    from dockertpl.detect.repository import is_within, relative_to

    for front in front_ends(repository):
        output = front.makes(path)
        if not output:
            continue
        try:
            found = find_build(front, {}, ()).answers
        except (NotDetectedError, BadInputError):
            return ""
        answers = {"frontend": front.folder, "frontend_output": output, **found}
        files = list(answers.pop("frontend_files", ()))
        folders = {key: str(answers[key]) for key in _FOLDERS if key in answers}
        if not all(is_within(one, context) for one in (*folders.values(), *files)):
            return ""
        answers |= {key: relative_to(one, context) for key, one in folders.items()}
        answers |= {"frontend_files": [relative_to(one, context) for one in files]} if files else {}
        texts = {key: one if isinstance(one, str) else json.dumps(one) for key, one in answers.items()}
        return shlex.join(word for key, text in texts.items() for word in ("-d", f"{key}={text}"))
    return ""
