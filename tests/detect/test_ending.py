from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.detect.ending import conclude
from dockertpl.detect.facts import Detection
from dockertpl.detect.repository import Repository

Repo = Callable[[Mapping[str, str]], Path]


def _skipping(root: Path) -> Repository:
    repository = Repository(root)
    repository.skipped |= {"api/big.py": "api/big.py was not read.", "web/big.py": "web/big.py was not read."}
    return repository


@pytest.mark.parametrize(
    ("folder", "warned"),
    [("api", ["api/big.py was not read."]), (None, ["api/big.py was not read.", "web/big.py was not read."])],
)
def test_unread_files_of_the_application_are_reported(repo: Repo, folder: str | None, warned: list[str]) -> None:
    found = Detection()
    conclude(_skipping(repo({"a": ""})), found, folder, {}, ())
    assert found.warnings == warned


def test_answers_are_in_the_order_of_the_questions_without_what_was_given(repo: Repo) -> None:
    found = Detection()
    for key in ("port", "manager", "name"):
        found.answer(key, key)
    conclude(Repository(repo({".gitlab-ci.yml": ""})), found, ".", {"manager": "uv"}, ("name", "manager", "port", "ci"))
    assert list(found.answers.items()) == [("name", "name"), ("port", "port"), ("ci", "gitlab")]
