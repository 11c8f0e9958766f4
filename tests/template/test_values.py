from __future__ import annotations

from typing import Any

import pytest
from copier._user_data import CAST_STR_TO_NATIVE
from hypothesis import given, settings
from hypothesis import strategies as st

from dockertpl.template.values import TYPES, WrongTypeError, cast, check_inert, shown

_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "1.5", "yes", "off", "~", "[a]", "{a: 1}", '{"a": 1}', "1_0", " 7 ", "nan", "1e400"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def _by_copier(type_name: str, value: Any) -> Any:
    if value is None and type_name not in {"json", "yaml"}:
        raise ValueError
    try:
        return CAST_STR_TO_NATIVE[type_name](value)
    except (TypeError, AttributeError):
        if type_name in {"json", "yaml"}:
            return value
        raise


@settings(max_examples=300, deadline=None, derandomize=True)
@given(type_name=st.sampled_from(TYPES), value=_ANYTHING)
def test_whatever_is_taken_has_the_value_that_copier_gives_it(type_name: str, value: Any) -> None:
    try:
        ours = cast(type_name, value)
    except WrongTypeError:
        return
    theirs = _by_copier(type_name, value)
    assert (type(ours), repr(ours)) == (type(theirs), repr(theirs))


@pytest.mark.parametrize(
    ("type_name", "value", "message"),
    [
        ("int", "eighty", '"eighty" is not a whole number'),
        ("int", "8.5", '"8.5" is not a whole number'),
        ("int", 8.5, "8.5 is not a whole number"),
        ("int", [], "[] is not a whole number"),
        ("int", None, "null is not a whole number"),
        ("float", "nan", '"nan" is not a number'),
        ("bool", "ture", '"ture" is neither yes nor no'),
        ("bool", [1], "[1] is neither yes nor no"),
        ("str", ["a"], "['a'] is not a text"),
        ("str", None, "null is not a text"),
        ("yaml", "[a", "\"[a\" is not valid YAML (expected ',' or ']', but got '<stream end>', line 1, column 3)"),
        ("yaml", "[" * 3000, "too deep"),
        ("yaml", "2020-13-45", "not valid YAML"),
        ("yaml", "a\x00b", "not valid YAML"),
        ("json", "{", '"{" is not valid JSON'),
    ],
)
def test_a_wrong_type_says_what_it_is(type_name: str, value: Any, message: str) -> None:
    with pytest.raises(WrongTypeError) as caught:
        cast(type_name, value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\r", "\x7f", "\x85", "\u202e", "\u2066", "\ud800"])
def test_what_no_reader_sees_is_refused(character: str) -> None:
    for value in (f"a{character}b", [f"a{character}"], {f"{character}": 1}, {"a": [{"b": character}]}):
        with pytest.raises(WrongTypeError, match=f"U\\+{ord(character):04X}"):
            check_inert(value)


def test_text_of_any_script_is_kept() -> None:
    check_inert(["naïve café", "日本語", "עברית", "😀", "tab\tand\nline", {"a": 1.5, "b": None}])


def test_a_bomb_of_aliases_is_refused_before_it_is_expanded() -> None:
    bomb: list[Any] = ["x"]
    for _ in range(40):
        bomb = [bomb, bomb]
    with pytest.raises(WrongTypeError, match="too large"):
        check_inert(bomb)
    bomb.append(bomb)
    with pytest.raises(WrongTypeError, match="contains itself"):
        check_inert(bomb)


def test_a_value_is_shown_on_one_short_line() -> None:
    assert shown("a\nb\x1b\u202e") == '"a\\nb\\u001b\\u202e"'
    assert len(shown("x" * 1000)) == 80
    assert shown([1]) == "[1]"
