"""What `verify` requests from a healthy service: paths of the user, of the sources, and of the API description."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.detect.facts import Served
from dockertpl.detect.root import repository_root
from dockertpl.detect.served import find_served, is_safe
from dockertpl.engine.asking import MOST, Question, described
from dockertpl.errors import BadInputError
from dockertpl.kinds import NEXTJS_STANDALONE

# The number of questions that are reserved for files that a page loads.
_ASSETS = 3


class Questions:
    """The requests to a healthy container.

    The sources are read during the build. The application's own description is read once it answers.
    """

    def __init__(self, subject: Subject, paths: Sequence[str], *, paths_only: bool) -> None:
        self._given = [Question(path, "page", "--path") for path in paths]
        if not paths_only:
            self._given += [Question(path, "page", "smoke_test_paths") for path in _answered(subject)]
        self._kind = subject.kind
        self._found: Future[list[Served]] | None = None
        if not paths_only:
            place = subject.dockerfile.parent if subject.answers else subject.context
            root, folder = repository_root(place)
            pool = ThreadPoolExecutor(1)
            self._found = pool.submit(find_served, root, folder or ".", subject.kind, subject.answers)
            pool.shutdown(wait=False)

    def found(self, port: int) -> list[Question]:
        """Return the requests to the service on a port of this machine."""
        if self._found is None:
            return self._given
        known = [Question(*one) for one in self._found.result()]
        if self._kind != NEXTJS_STANDALONE:
            seen = {one.path.rstrip("/") for one in known}
            routes = [one for one in described(port) if is_safe(one.path) and one.path.rstrip("/") not in seen]
            known += routes[: max(0, MOST - len(known) - len(self._given) - _ASSETS)]
        return [*self._given, *known]


def _answered(subject: Subject) -> list[str]:
    """Return the paths that the workflow's smoke test also requests."""
    given = subject.answers.get("smoke_test_paths")
    paths = given if isinstance(given, list) else []
    return [path for path in paths if isinstance(path, str) and re.fullmatch(r"/[!-~]*", path)]


def check_paths(paths: Sequence[str]) -> None:
    """Refuse a path that cannot be requested.

    Raises:
        BadInputError: The path does not begin with a slash, or has a space or a control character.
    """
    for path in paths:
        if not re.fullmatch(r"/[!-~]*", path):
            raise BadInputError(f"--path {path!r} is not a path.", "Write it like --path /items?page=1.")
