from __future__ import annotations

import pytest

from dockertpl.detect.jsonfile import JsonError, json_line, load_json

TEXT = """{
  "name": "x",
  "scripts": { "name": 1,
    "build": "next build" },
  "list": [{ "build": 2 }],
  "a\\u0062": { "build": 3 }
}"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("name",), 2),
        (("scripts",), 3),
        (("scripts", "name"), 3),
        (("scripts", "build"), 4),
        (("ab", "build"), 6),
        (("build",), None),
        (("list", "build"), None),
        (("next build",), None),
    ],
)
def test_a_key_has_its_line(keys: tuple[str, ...], line: int | None) -> None:
    assert json_line(TEXT, *keys) == line


def test_an_error_has_its_line() -> None:
    with pytest.raises(JsonError) as caught:
        load_json('{\n  "a": 1,\n}')
    assert caught.value.line in (2, 3)
    assert caught.value.reason


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 9000, "", "\ufeff{"])
def test_absurd_json_is_an_error(text: str) -> None:
    with pytest.raises(JsonError):
        load_json(text)
