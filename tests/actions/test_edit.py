from __future__ import annotations

import pytest

from dockertpl.actions.edit import LARGEST, NotEditableError, decoded, indentation, line_end
from dockertpl.template.tree import File


def test_a_byte_order_mark_is_not_content() -> None:
    assert decoded(File(content=b"\xef\xbb\xbf{}")) == ("\ufeff", "{}")
    assert decoded(File(content=b"{}")) == ("", "{}")


@pytest.mark.parametrize(
    ("content", "reason"), [(b" " * (LARGEST + 1), "larger than 64 KiB"), ("{}".encode("utf-16"), "not UTF-8")]
)
def test_a_file_that_is_not_a_small_text_is_left_alone(content: bytes, reason: str) -> None:
    with pytest.raises(NotEditableError, match=reason):
        decoded(File(content=content))


def test_a_text_tells_its_line_ends_and_indentation() -> None:
    assert (line_end("a\r\nb"), line_end("a\nb"), line_end("")) == ("\r\n", "\n", "\n")
    assert (indentation("a\n\t b", 4), indentation("  a", 2), indentation("a", 0)) == ("\t ", "  ", "")
