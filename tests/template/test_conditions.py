from __future__ import annotations

import pytest
from jinja2 import nodes

from dockertpl.template.conditions import UnreadableError, one_of, read, simplified, words

MANAGERS = {"manager": ["uv", "pip", "poetry"]}


@pytest.mark.parametrize(
    ("text", "known", "left"),
    [
        ("{{ kind == 'a' }}", {"kind": "a"}, True),
        ("{{ kind == 'a' }}", {"kind": "b"}, False),
        ("{{ kind in ['a', 'b'] }}", {"kind": "b"}, True),
        ("{{ kind not in ['a', 'b'] }}", {"kind": "b"}, False),
        ("{{ 'ci' in customize }}", {"customize": ["ci"]}, True),
        ("{{ compose }}", {"compose": False}, False),
        ("{{ not compose }}", {"compose": False}, True),
        ("{{ kind == 'a' and port != 1 }}", {"kind": "a"}, "`port` is not `1`"),
        ("{{ kind == 'a' and port != 1 }}", {"kind": "b"}, False),
        ("{{ port != 1 and kind == 'a' }}", {"kind": "b"}, False),
        ("{{ kind == 'a' or port != 1 }}", {"kind": "a"}, True),
        ("{{ kind == 'a' or port != 1 }}", {"kind": "b"}, "`port` is not `1`"),
        ("{{ context != app_dir }}", {}, "`context` differs from `app_dir`"),
        ("{{ front != '' }}", {}, "`front` is set"),
        ("{{ front == '' or not compose }}", {}, "`front` is empty or `compose` is `false`"),
        ("{{ bases != ['node'] and 'sandbox' in bases }}", {}, "`bases` is not `[node]` and `bases` has `sandbox`"),
        ("{{ manager in ['uv', 'pip'] }}", {}, "`manager` is `uv` or `pip`"),
        ("{{ manager in ['uv', 'npm'] }}", {}, "`manager` is `uv`"),
        ("{{ manager not in ['npm', 'uv'] }}", {}, "`manager` is not `uv`"),
        ("{{ manager == 'npm' }}", {}, False),
        ("{{ manager != 'npm' }}", {}, True),
        ("{{ manager in ['uv', 'pip', 'poetry', 'npm'] }}", {}, True),
        ("{{ manager in ['uv', 'npm'] and (context != app_dir or manager == 'uv') }}", {}, "`manager` is `uv`"),
        ("{{ port == 1 and (a == 1 or b == 2) }}", {}, "`port` is `1`, and either `a` is `1` or `b` is `2`"),
    ],
)
def test_the_rest_of_a_condition_is_described_in_words(text: str, known: dict[str, object], left: bool | str) -> None:
    condition = simplified(read(text), known, MANAGERS)
    assert (words(condition) if isinstance(condition, nodes.Expr) else condition) == left


@pytest.mark.parametrize("text", ["always", "{{ a }}{{ b }}", "{% if a %}yes{% endif %}"])
def test_a_text_that_is_not_one_expression_is_not_a_condition(text: str) -> None:
    with pytest.raises(UnreadableError):
        read(text)


def test_a_call_has_no_words() -> None:
    condition = read("{{ allowed(kind) }}")
    assert isinstance(condition, nodes.Expr)
    with pytest.raises(UnreadableError):
        words(condition)


def test_a_condition_that_is_not_text_is_used_as_is() -> None:
    assert read(True) is True
    assert simplified(read(False), {}) is False


def test_values_are_listed_as_in_a_sentence() -> None:
    assert one_of(["a"]) == "`a`"
    assert one_of(["a", "b"], "and") == "`a` and `b`"
    assert one_of(["a", "b", 3]) == "`a`, `b` or `3`"
