from __future__ import annotations

from dockertpl.detect.tables import strings, table


def test_a_table_is_found_or_empty() -> None:
    assert table({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert table({"a": [1]}, "a", "b") == {}
    assert table(None) == {}


def test_of_a_list_only_strings_are_taken() -> None:
    assert strings(["a", 1, None, "b"]) == ["a", "b"]
    assert strings("ab") == []
