from __future__ import annotations

import pytest

from dockertpl.detect.tomlfile import TomlError, line_of, load_toml, toml_line

TEXT = """\
[project]
name = "x"

[tool.poetry.group.dev.dependencies]
pytest = "*"

[[tool.uv.index]]
url = "x"
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("project", "name"), 2),
        (("project", "readme"), 1),
        (("tool", "poetry", "group", "dev"), 4),
        (("tool", "uv", "index"), 7),
        (("build-system",), None),
    ],
)
def test_a_key_is_found_by_its_line_or_the_nearest_table(keys: tuple[str, ...], line: int | None) -> None:
    assert toml_line(TEXT, *keys) == line


def test_a_pattern_is_found_by_its_line() -> None:
    assert line_of("a\nb\n", "^b$") == 2
    assert line_of("a\n", "^b$") is None


def test_inline_tables_over_several_lines_are_read() -> None:
    text = 'a = {\n  url = "x}, # y", # why\n  list = [\n    1,\n  ],\n}\nb = """\n{\n"""\n'
    assert load_toml(text) == {"a": {"url": "x}, # y", "list": [1]}, "b": "{\n"}


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = [\n", None), ("a = 1\na = 2\n", 2), ("x = ", None), ("a = " + "[" * 100_000, None)]
)
def test_an_error_has_its_line_where_that_is_known(text: str, line: int | None) -> None:
    with pytest.raises(TomlError) as caught:
        load_toml(text)
    assert caught.value.line == line or line is None
