"""Filling the regions of a rendered tree."""

from __future__ import annotations

import pytest
from tests.adopt.adopting import read, render_adopted

from dockertpl import adopt
from dockertpl.errors import BadInputError
from dockertpl.merge import regions
from dockertpl.template.tree import File

TEXT = 'FROM python:3.13\nENV A=1\nCMD ["uvicorn", "orders.main:app"]\n'


def test_the_regions_of_both_files_are_filled_and_the_others_left() -> None:
    adopted = render_adopted(read(TEXT, ignore="data\n"), "python-fastapi", {})
    assert regions.find(adopted.dockerfile)["environment"] == "ENV A=1\n"
    assert regions.find(adopted.dockerfile)["image"] == ""
    assert regions.find(adopted.ignore_file)["ignore"] == "data\n"


def test_without_anything_to_keep_the_tree_is_the_same() -> None:
    tree = {"Dockerfile": File(content=b"FROM x\n")}
    nothing = adopt.Adoption(answers={}, evidence={}, regions={}, ignored="", items=(), improvements=(), doubts=())
    assert adopt.apply(tree, nothing, dockerfile="Dockerfile", ignore_file=".dockerignore") == tree


def test_a_file_that_was_not_rendered_is_named() -> None:
    with pytest.raises(BadInputError, match="api/Dockerfile is not among"):
        adopt.apply({}, read(TEXT), dockerfile="api/Dockerfile", ignore_file=".dockerignore")
