from __future__ import annotations

import pytest
import yaml

from dockertpl.merge.edit_text import Edit, apply_edits, insertion, last_of


def test_edits_are_made_where_they_belong_in_any_order() -> None:
    assert apply_edits("a.b.c", [Edit(4, 5, "xy"), Edit(0, 1, "xy")]) == "xy.b.xy"
    assert apply_edits("abc", []) == "abc"


def test_insertions_at_one_place_keep_their_order() -> None:
    at = [insertion(4, "!"), insertion(2, "1"), insertion(2, "2"), insertion(0, "0")]
    assert apply_edits("abcd", at) == "0ab12cd!"
    assert apply_edits("", []) == ""


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("a: 1\nb:\n  c: two # why\n# done\n", "two"),
        ("a:\n- b: 1\n- c: two\n\n# done\n", "two"),
        ("a: {b: 1, c: [two]} # why\n", "{b: 1, c: [two]}"),
    ],
)
def test_a_node_ends_with_its_last_value_and_not_with_the_comments_behind(text: str, last: str) -> None:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert node
    assert text[: last_of(node)].endswith(last)
