from __future__ import annotations

import pytest

from dockertpl.detect.globs import matches


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [("a/b", "a/*"), ("a/b", "./a/*/"), ("a/b/c", "a/**"), ("a", "a/**"), ("a/b/c", "**/c"), ("a-b", "a-*")],
)
def test_a_pattern_names_folders_part_by_part(folder: str, pattern: str) -> None:
    assert matches(folder, [pattern])


@pytest.mark.parametrize(("folder", "pattern"), [("a/b/c", "a/*"), ("b", "a"), ("a", "a/*"), ("a/b", "*")])
def test_a_star_stays_within_its_part(folder: str, pattern: str) -> None:
    assert not matches(folder, [pattern])


def test_an_absurd_pattern_names_nothing() -> None:
    assert not matches("/".join("a" * 40), ["/".join(["**"] * 40)])
