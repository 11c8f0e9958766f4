"""What every detection ends with, whatever it looked for."""

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
    """Answer what is of the repository as a whole, warn of what was not read, and bring the answers into order.

    Args:
        repository: Where it was looked.
        found: What is known so far.
        folder: The application's folder, or None if it was not found.
        given: Answers that are known already.
        questions: The order of the questions.
    """
    find_forge(repository, found)
    find_proxy(repository, found, folder)
    for path, sentence in repository.skipped.items():
        if folder is None or is_within(path, folder):
            found.warn(sentence)
    found.settle(given, questions)
