"""The line ends of a whole file."""

from __future__ import annotations

import pytest

from dockertpl.merge.line_ends import is_same, with_ends_of
from dockertpl.template.tree import File


@pytest.mark.parametrize(
    ("content", "other", "after"),
    [
        (b"a\nb\n", b"x\r\n", b"a\r\nb\r\n"),
        (b"a\r\nb", b"x\n", b"a\nb"),
        (b"a\r\n", b"x\r\n", b"a\r\n"),
        (b"a\nb\r\n", b"x\n", b"a\nb\r\n"),
        (b"a\n", b"x\ny\r\n", b"a\n"),
        (b"a\n", b"x", b"a\n"),
        (b"\0\n", b"x\r\n", b"\0\n"),
    ],
)
def test_of_one_kind_each_they_are_converted(content: bytes, other: bytes, after: bytes) -> None:
    assert with_ends_of(File(content=content), File(content=other)).content == after


def test_nothing_but_line_ends_may_differ() -> None:
    file = File(content=b"a\nb\n")
    assert is_same(file, File(content=b"a\r\nb\r\n"))
    assert not is_same(file, File(content=b"a\r\nb\n"))
    assert not is_same(file, File(content=b"a\r\nb\r\n", executable=True))
