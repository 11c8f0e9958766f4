"""Choose the kind of image for a repository. Each ecosystem searches for its applications."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.forge import find_forge
from dockertpl.detect.node.conventions import QUESTIONS as NODE_QUESTIONS
from dockertpl.detect.node.package import folders, repository_of
from dockertpl.detect.others import find_other
from dockertpl.detect.proxy import find_proxy
from dockertpl.detect.python import application as python
from dockertpl.detect.python.conventions import QUESTIONS as PYTHON_QUESTIONS
from dockertpl.detect.repository import Repository
from dockertpl.errors import NotDetectedError
from dockertpl.kinds import NEXTJS_STANDALONE, PYTHON_FASTAPI


def look_for_kind(
    root: Path, app_dir: str | None, given: Mapping[str, Any]
) -> tuple[Detection, NotDetectedError | None]:
    """Return the facts, and an error if the application was not found or is one of several.

    Every ecosystem is searched, unless the kind is given or an answer belongs to only one kind.

    Args:
        root: The repository root.
        app_dir: The application's folder, relative to the root. None to search for it.
        given: The known answers.

    Raises:
        BadInputError: A manifest or a lock is not valid.
    """
    folder = app_dir if app_dir is not None else given.get("app_dir")
    kind = _told(given)
    if kind == PYTHON_FASTAPI:
        return python.look_for_application(python.repository_of(root), app_dir, given)
    if kind == NEXTJS_STANDALONE:
        from dockertpl.detect.node import application as node

        return node.look_for_application(repository_of(root), app_dir, given)
    if kind:
        return _forge_alone(root, given), None
    python_files, node_files = python.repository_of(root), repository_of(root)
    services = python.applications(python_files, folder)
    pages = folders(node_files, folder)
    if pages:
        # Import the detection of Next.js only for a Next.js application.
        from dockertpl.detect.node import application as node
    if services and pages:
        return _several(node_files, services, {one: node.proof(node_files, one) for one in pages})
    if pages:
        return node.look_for_application(node_files, app_dir, given)
    found, problem = python.look_for_application(python_files, app_dir, given)
    if problem and not services and (folder is None or python_files.is_dir(folder)):
        skipped = {**python_files.skipped, **node_files.skipped}
        for sentence in skipped.values():
            found.warn(sentence)
        problem = _unsupported(python_files, folder or ".") or _neither(problem, folder or ".", skipped)
    return found, problem


def _told(given: Mapping[str, Any]) -> str:
    """Return the kind in the answers, or the only kind with a question for one of them."""
    if isinstance(given.get("kind"), str):
        return str(given["kind"])
    services = set(PYTHON_QUESTIONS) & set(given) - set(NODE_QUESTIONS)
    pages = set(NODE_QUESTIONS) & set(given) - set(PYTHON_QUESTIONS)
    if bool(services) == bool(pages):
        return ""
    return PYTHON_FASTAPI if services else NEXTJS_STANDALONE


def _forge_alone(root: Path, given: Mapping[str, Any]) -> Detection:
    """Return the facts for a kind without an application."""
    found, repository = Detection(), repository_of(root)
    find_forge(repository, found)
    find_proxy(repository, found, None)
    found.settle(given, ("behind_proxy", "ci", "branch"))
    return found


def _several(
    repository: Repository, services: Mapping[str, str], pages: Mapping[str, str]
) -> tuple[Detection, NotDetectedError]:
    found = Detection()
    lines = []
    for kind, places in ((PYTHON_FASTAPI, services), (NEXTJS_STANDALONE, pages)):
        for folder, place in places.items():
            path, _, line = place.rpartition(":")
            found.fact("application", folder, path or line, int(line) if path else None, kind)
            lines.append(f"-d kind={kind} -d app_dir={folder}  ({place})")
    find_forge(repository, found)
    found.settle({}, ("ci", "branch"))
    return found, NotDetectedError(
        "The repository has applications of several kinds.",
        "Choose one, or run once for each:\n" + "\n".join(lines),
        candidates=[line.split("  ")[0] for line in lines],
    )


def _unsupported(repository: Repository, folder: str) -> NotDetectedError | None:
    """Return the error for an application of another framework, or None if the framework is unclear."""
    other = find_other(repository, folder)
    if other is None:
        return None
    return NotDetectedError(
        f"The application uses {other.name} ({other.where}), which is not supported yet.",
        "dockertpl supports FastAPI and Next.js. For other images, use --kind sandbox-multi-runtime or "
        "--kind shared-base.",
        framework=other.name,
    )


def _neither(problem: NotDetectedError, folder: str, skipped: Mapping[str, str]) -> NotDetectedError:
    where = "the repository" if folder == "." else folder
    from dockertpl.detect.node import application as node

    other = node.nothing(folder).remedy.partition("\n")[0]
    return NotDetectedError(
        " ".join([f"No FastAPI or Next.js application was found in {where}.", *skipped.values()]),
        f"{problem.remedy}\n{other}",
    )
