"""Which files of a template have manual edits."""

from __future__ import annotations

import pytest

from dockertpl.merge.edited import edited
from dockertpl.merge.update import Obstacle
from dockertpl.template.tree import File

TEXT = "FROM x\n# >>> custom: image - lines\n# <<< custom: image\n"
FILLED = TEXT.replace("lines\n", "lines\nRUN mine\n")


@pytest.mark.parametrize(
    ("mine", "is_edited"),
    [
        (TEXT, False),
        (FILLED, False),
        (TEXT.replace("\n", "\r\n"), False),
        (FILLED.replace("\n", "\r\n"), False),
        (TEXT.replace("\n", "\r\n", 1), True),
        (TEXT.replace("FROM x", "FROM y").replace("\n", "\r\n"), True),
    ],
)
def test_regions_and_line_ends_are_not_edits(mine: str, is_edited: bool) -> None:
    rendered = {"Dockerfile": File(content=TEXT.encode())}
    assert list(edited(rendered, {"Dockerfile": File(content=mine.encode())})) == ["Dockerfile"] * is_edited


def test_a_mode_is_an_edit_and_a_file_that_is_not_seen_is_none() -> None:
    rendered = {path: File(content=b"") for path in ("a", "b", "c", "d")}
    mine: dict[str, File | Obstacle] = {
        "a": File(content=b"", executable=True),
        "b": Obstacle(what="a link"),
        "c": Obstacle(what="not checked out", unseen=True),
    }
    assert list(edited(rendered, mine)) == ["a", "b"]
