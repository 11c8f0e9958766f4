from __future__ import annotations

import pytest

from dockertpl.detect.yamlfile import load_yaml


def test_a_merge_stays_a_key() -> None:
    assert load_yaml("a: &a {b: 1}\nc: {<<: *a}\n") == {"a": {"b": 1}, "c": {"<<": {"b": 1}}}


def test_no_yaml_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="flow node"):
        load_yaml("a: [")
