"""Find a front end that the application serves and that a stage must build, because Git lacks its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from dockertpl.detect.facts import Detection
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.node.front_end_build import find_build
from dockertpl.detect.node.front_ends import BUILD, FrontEnd, front_end, front_ends
from dockertpl.detect.opened import PLACEHOLDERS, Opened
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository, is_within, join, relative_to
from dockertpl.errors import BadInputError, NotDetectedError

#: Answers that are lists of paths relative to the build context.
_PATHS = ("install_files", "local_packages", "workspace_members")
_FOLDERS = ("frontend", "frontend_output", "frontend_root")


class _Match(NamedTuple):
    """What is served, the front end that makes it, and the folder that its build makes."""

    opened: Opened | None
    front_end: FrontEnd
    output: str


def find_front_end(
    project: Project, found: Detection, opened: Sequence[Opened], dockerfiles: Sequence[str], *, workspace: bool
) -> list[Opened]:
    """Answer `frontend` and what belongs to it; return what is opened besides what its build makes.

    Where the front end lies outside of the build context, that becomes the root, and the application keeps its own
    lock (`own_lock`).

    Args:
        project: The application's folder.
        found: Where answers and warnings go.
        opened: What the sources open.
        dockerfiles: Existing Dockerfiles.
        workspace: Whether the application is a member of a uv workspace.
    """
    given, everything = project.given, list(opened)
    if given.get("frontend") == "":
        return everything
    context = str(given.get("context", found.answers.get("context", project.app_dir)))
    match = _match(project, everything, context)
    if match is None:
        return everything
    one, front, output = match
    why = f"{one.where} serves {output}, which" if one else f"{output} is what"
    try:
        build = find_build(front, given, dockerfiles)
    except (NotDetectedError, BadInputError) as error:
        found.answer("frontend", _inside(front.folder, context), front.package.path)
        found.cannot_build(
            "frontend",
            f"{why} the build of {front.folder} makes, but that cannot be built: {error.message}",
            f"{error.remedy}\nTo build the front end yourself: -d frontend=",
        )
        return everything
    build.answer("frontend_output", output, front.package.path)
    root = str(build.answers.get("frontend_root", front.folder))
    needed = [front.folder, output, root, *build.answers.get("frontend_files", ())]
    outside = any(not is_within(path, context) for path in needed)
    if one and one.path.startswith("/") and not is_within(_place(one, "." if outside else context), output):
        return everything  # it is another folder in the image
    if outside:
        if context != project.app_dir or "context" in given:
            found.warn(
                f"The build of {front.folder} makes {output}, but it is outside of the build context ({context}): "
                "remove the answer context, or set it to `.`."
            )
            return everything
        context = "."
        note = f"the application serves what the build of {front.folder} makes"
        found.answer("context", ".", front.package.path, front.package.line("scripts", BUILD), note)
    if context != project.app_dir and not workspace:
        found.answer("own_lock", True, project.app_dir, None, "its lock is there")
    line = front.package.line("scripts", BUILD)
    note = f"its build makes {output}" + (f", which {one.where} serves" if one else "")
    found.answer("frontend", _inside(front.folder, context), front.package.path, line, note)
    _take(found, build, context)
    return [other for other in everything if not is_within(_place(other, context), output)]


def _inside(folder: str, context: str) -> str:
    return relative_to(folder, context) if is_within(folder, context) else folder


def _take(found: Detection, build: Detection, context: str) -> None:
    """Copy the answers about the build, with paths relative to the build context."""
    for key, value in build.answers.items():
        evidence = build.evidence[key]
        if key in _FOLDERS:
            value = relative_to(str(value), context)
        elif key == "frontend_files":
            value = [relative_to(path, context) for path in value]
        elif key == "build_secrets":
            value = sorted({*found.answers.get(key, ()), *value})
        found.answer(key, value, evidence.path, evidence.line, evidence.note)
    for text in build.warnings:
        found.warn(text)


def settle_paths(found: Detection, app_dir: str, given: Mapping[str, Any]) -> None:
    """Bring answers that were found for the application's folder as build context to one of the root.

    Args:
        found: The answers.
        app_dir: The application's folder.
        given: Answers that are known already, of which the context may be one.
    """
    if "own_lock" not in found.answers or "context" in given:
        return
    for key in _PATHS:
        if key in found.answers:
            found.answers[key] = [join(app_dir, path) for path in found.answers[key]]


def _match(project: Project, opened: Sequence[Opened], context: str) -> _Match | None:
    repository, given = project.repository, str(project.given.get("frontend", ""))
    lacking = [one for one in opened if one.how in ("served", "read") and not one.path.startswith(("/etc/", "/usr/"))]
    lacking = [one for one in lacking if any(_lacks(repository, path) for path in _places(one, context))]
    if not lacking and not given:
        return None
    fronts = list(front_ends(repository))
    if given:
        named = (front_end(repository, folder) for folder in dict.fromkeys([join(context, given), join(given)]))
        fronts = [front for front in named if front][:1]
    # A folder that has to be there counts before a file that is read.
    for one in sorted(lacking, key=lambda one: one.how != "served"):
        for path in _places(one, context):
            for front in fronts if _lacks(repository, path) else ():
                output = front.makes(path)
                if output and not is_within(project.app_dir, output):
                    return _Match(one, front, output)
    if given and fronts:
        return _Match(None, fronts[0], next(iter(fronts[0].outputs), join(fronts[0].folder, "dist")))
    return None


def _lacks(repository: Repository, path: str) -> bool:
    """Tell whether a clone does not have a path, or only a folder with nothing in it."""
    if path == ".":
        return False
    if repository.is_file(path) or ignored_by(repository, path):
        return ignored_by(repository, path) is not None
    inside = repository.entries(path)
    return all(PurePosixPath(one).name in PLACEHOLDERS or ignored_by(repository, one) for one in inside)


def _places(one: Opened, context: str) -> Iterator[str]:
    """Yield what a path may be in the repository: /app of the image is the build context, or becomes the root."""
    if not one.path.startswith("/"):
        yield one.path
    elif (inside := one.path.removeprefix("/app/")) != one.path:
        yield from dict.fromkeys([join(context, inside), inside])


def _place(one: Opened, context: str) -> str:
    return next(_places(one, context), one.path)
