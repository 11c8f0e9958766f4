from __future__ import annotations

import pytest

from dockertpl.detect.node.ranges import Version, allows, spans, version


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
        (" >= 20  <  23 ", [20, 22]),
        ("~> 22.11", [22]),
        ("18 || ", [18, 26]),
        ("lts/*", [22, 24]),
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
        (">=18 <16", 17),
        (">=18.5 <18.2", 18),
        (">*", 22),
        ("18.x - 20.x", 21),
    ],
)
def test_and_forbids_others(text: str, major: int) -> None:
    assert allows(text, major) is False


def test_caret_holds_the_first_number_that_is_not_zero() -> None:
    assert spans("^0.3.1") == [((0, 3, 1), (0, 4, 0))]
    assert spans("^1.2") == [((1, 2, 0), (2, 0, 0))]
    assert spans("^0.0") == [((0, 0, 0), (0, 1, 0))]
    assert spans("^0.0.3") == [((0, 0, 3), (0, 0, 4))]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (">18.1", (18, 2, 0), None),
        (">18.1.2", (18, 1, 3), None),
        ("<=18.1.2", (0, 0, 0), (18, 1, 3)),
        ("<18.1.2", (0, 0, 0), (18, 1, 2)),
        ("=18.1.2", (18, 1, 2), (18, 1, 3)),
        ("18.1.2", (18, 1, 2), (18, 1, 3)),
        ("18.1 - 20.2.3", (18, 1, 0), (20, 2, 4)),
        ("^15.2.0-canary.1", (15, 2, 0), (16, 0, 0)),
        (">=18.12 <19 >=18.14", (18, 14, 0), (19, 0, 0)),
    ],
)
def test_bounds_are_exact(text: str, low: Version, high: Version | None) -> None:
    (span,) = spans(text) or []
    assert span.low == low
    assert span.high == high or (high is None and span.high > (10**6, 0, 0))


@pytest.mark.parametrize(
    "text",
    [
        "workspace:*",
        "latest-ish",
        "git+ssh://x",
        "9" * 300,
        "( " * 90,
        "node >= 18",
        ">=18 and <20",
        ">=18 || new",
        "18 | 20",
        "18 -22",
    ],
)
def test_an_invalid_range_is_reported(text: str) -> None:
    assert spans(text) is None


def test_a_version_is_read_from_a_range() -> None:
    assert version("^15.2.0-canary.1") == (15, 2, 0)
    assert version("latest") is None
