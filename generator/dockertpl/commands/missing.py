"""Why an image lacks a file that a step or the application did not find."""

from __future__ import annotations

from pathlib import PurePosixPath

from dockertpl.commands.subject import Subject
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.root import repository_root

_HOME = PurePosixPath("/app")  # where the images have the build context
_LONGEST = 1 << 17


def explain(subject: Subject, path: str, workdir: str = "/app") -> str:
    """Return why a file or folder is not in the image, and what to do; empty if that is unknown.

    Args:
        subject: What was built.
        path: The path as the log has it.
        workdir: The folder in the image that it starts from.
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
    # Of several lines that match the last one counts, and each is anchored.
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
        f"  dockertpl update -d context_files='[{inside}]'        (the whole list, with that path in it)"
        if subject.kind
        else f"  add the line !{inside} to it"
    )
    where = f"line {rule} of {file.name}"
    return f"{inside} is in the repository, but {where} keeps it out of the image. Let it through:\n{how}"


def _absent(subject: Subject, inside: str) -> str:
    from dockertpl.detect.repository import Repository, join

    root, folder = repository_root(subject.context)
    path = join(folder or ".", inside)
    rule = ignored_by(Repository(root), path)
    if rule is None:
        return f"{inside} is not in the repository. Commit it, or create it before the application needs it."
    where = f"{rule.path}:{rule.line}"
    return (
        f"{inside} is not in the repository: {where} keeps it out of Git. If a front end's build makes it, run that\n"
        "build before the image's, or in a stage of the Dockerfile (region `stages`):\n"
        "  dockertpl update -d more_regions=true"
    )
