"""The examples match what dockertpl writes today."""

from __future__ import annotations

import pytest
from tests.examples.rendering import FOLDER, Example, examples, files, index
from tests.parity import read_tree

AGAIN = "run python -m tests.examples"


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_is_what_its_commands_write(example: Example) -> None:
    assert read_tree(FOLDER / example.name) == files(example), AGAIN


def test_every_folder_is_an_example() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", *(example.name for example in examples())}, AGAIN
    assert (FOLDER / "README.md").read_text() == index(), AGAIN


def test_every_kind_has_an_example() -> None:
    kinds = {path.name for path in (FOLDER.parent / "templates" / "kinds").iterdir() if path.is_dir()}
    answers = [path.read_text() for path in FOLDER.rglob(".copier-answers*.yml")]
    assert {kind for kind in kinds if any(f"\nkind: {kind}\n" in text for text in answers)} == kinds
