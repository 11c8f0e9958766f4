"""The last step of every detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockertpl.detect.facts import Detection
from dockertpl.detect.forge import find_forge
from dockertpl.detect.proxy import find_proxy
from dockertpl.detect.repository import Repository, is_within


def conclude(
    repository: Repository, found: Detection, folder: str | None, given: Mapping[str, Any], questions: Sequence[str]
) -> None:
    """Answer questions about the whole repository, warn about files that were not read, and sort the answers.

    Args:
        repository: The repository.
        found: The facts so far.
        folder: The application's folder, or None if it was not found.
        given: The known answers.
        questions: The order of the questions.
    """
    find_forge(repository, found)
    find_proxy(repository, found, folder)
    for path, sentence in repository.skipped.items():
        if folder is None or is_within(path, folder):
            found.warn(sentence)
    found.settle(given, questions)
