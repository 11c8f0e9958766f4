from __future__ import annotations

import pytest

from dockertpl.detect.yamlfile import load_yaml


def test_a_merge_stays_a_key() -> None:
    assert load_yaml("a: &a {b: 1}\nc: {<<: *a}\n") == {"a": {"b": 1}, "c": {"<<": {"b": 1}}}


def test_no_yaml_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="flow node"):
        load_yaml("a: [")


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_too_deep_nesting_is_a_value_error(opening: str) -> None:
    # Newer releases of libyaml limit brackets themselves.
    with pytest.raises(ValueError, match=r"nested too deeply|nesting depth"):
        load_yaml(opening * 200_000)


def test_hand_written_nesting_is_not_too_deep() -> None:
    assert str(load_yaml("[" * 50 + "1" + "]" * 50)).count("[") == 50
