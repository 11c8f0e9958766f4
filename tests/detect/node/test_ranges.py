from __future__ import annotations

import pytest

from dockertpl.detect.node.ranges import allows, spans, version


@pytest.mark.parametrize(
    ("text", "majors"),
    [
        (">=20", [20, 22, 26]),
        (">=20 <25", [20, 24]),
        ("^22.11.0", [22]),
        ("~22.11", [22]),
        ("22.x", [22]),
        ("22", [22]),
        ("v24.1.0", [24]),
        ("20 || >=24", [20, 24, 26]),
        ("18 - 22", [18, 20, 22]),
        ("*", [18, 26]),
        (">22", [23, 24]),
        ("<=22", [18, 22]),
        ("<22", [18, 20]),
        (">=22.0.0,<23", [22]),
    ],
)
def test_a_range_allows_majors(text: str, majors: list[int]) -> None:
    assert all(allows(text, major) for major in majors)


@pytest.mark.parametrize(
    ("text", "major"),
    [
        (">=20", 18),
        ("^22.11.0", 24),
        ("22.x", 20),
        ("20 || >=24", 22),
        ("<22", 22),
        (">22", 22),
        ("18 - 22", 24),
        ("~22.11", 23),
    ],
)
def test_and_forbids_others(text: str, major: int) -> None:
    assert allows(text, major) is False


def test_caret_holds_the_first_number_that_is_not_zero() -> None:
    assert spans("^0.3.1") == [((0, 3, 1), (0, 4, 0))]
    assert spans("^1.2") == [((1, 2, 0), (2, 0, 0))]


@pytest.mark.parametrize("text", ["workspace:*", "latest-ish", "git+ssh://x", "9" * 300, "( " * 90])
def test_what_is_no_range_is_said_to_be_none(text: str) -> None:
    assert spans(text) is None


def test_a_version_is_read_from_a_range() -> None:
    assert version("^15.2.0-canary.1") == (15, 2, 0)
    assert version("latest") is None
