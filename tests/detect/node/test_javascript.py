from __future__ import annotations

import pytest

from dockertpl.detect.node.javascript import LONGEST, Source


def _words(text: str) -> list[str]:
    return [token.text for token in Source(text).tokens]


def test_comments_are_skipped_and_a_string_is_one_token() -> None:
    assert _words('a /* { */ = \'x // y\' // }\n+ "it\\"s"') == ["a", "=", "'x // y'", "+", '"it\\"s"']


def test_a_template_is_one_token_with_all_that_it_holds() -> None:
    text = "`a ${f({b: `}`, c: '`'})} d`"
    assert _words(f"x = {text};") == ["x", "=", text, ";"]


def test_a_regular_expression_hides_its_brackets() -> None:
    assert _words("test: /[/{]\\}/g, a / b / c") == ["test", ":", "/[/{]\\}/g", ",", "a", "/", "b", "/", "c"]
    assert Source("x = { test: /[{(]/ }").sound


def test_brackets_that_do_not_match_are_noticed() -> None:
    assert not Source("({)}").sound
    assert not Source("{").sound
    assert Source("{[()]}").sound


def test_what_is_too_long_is_not_read() -> None:
    source = Source("a" * (LONGEST + 1))
    assert (source.tokens, source.sound) == ([], False)


@pytest.mark.parametrize("text", ["{" * 90_000, "`${" * 30_000, "/" * 90_000, "'" * 90_000, "\\" * 90_000])
def test_absurd_text_ends(text: str) -> None:
    assert isinstance(Source(text).sound, bool)


def test_a_literal_is_text_without_quotes() -> None:
    source = Source("'a' `b` `c${d}` e")
    assert [source.literal(index) for index in range(4)] == ["a", "b", None, None]
