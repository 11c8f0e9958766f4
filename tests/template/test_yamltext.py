"""YAML is read quickly, with the same result as PyYAML's own loader, and no input ends the process."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dockertpl.template import yamltext
from dockertpl.template.source import bundled

_TEXTS = sorted(path for path in bundled().root.glob("templates/**/*.yml") if "{" not in path.name)


@pytest.mark.parametrize("path", _TEXTS, ids=lambda path: path.name)
def test_the_template_s_tables_are_read_as_pyyaml_s_own_loader_reads_them(path: Path) -> None:
    assert yamltext.load(path.read_bytes()) == yaml.safe_load(path.read_bytes())


@pytest.mark.parametrize(
    "text", ["[" * 30_000, "{a: " * 30_000, "- " * 30_000, "".join(f"{' ' * n}a:\n" for n in range(500))]
)
def test_deep_nesting_is_refused_and_does_not_end_the_process(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        yamltext.load(text)


@pytest.mark.parametrize("text", ["!!timestamp x", "!!bool x", "!!int ''", "!!float ''"])
def test_a_value_that_does_not_match_its_tag_is_not_valid_yaml(text: str) -> None:
    with pytest.raises((yaml.YAMLError, ValueError)):
        yamltext.load(f"a: {text}")


def test_a_long_flat_document_is_not_too_deep() -> None:
    assert yamltext.load("".join(f"- {number}\n" for number in range(5000))) == list(range(5000))


def test_each_caller_has_a_value_of_its_own() -> None:
    yamltext.from_yaml("[1]").append(2)
    assert yamltext.from_yaml("[1]") == [1]


def test_a_binary_file_stays_as_it_is() -> None:
    value = {"a": 1}
    assert yamltext.from_yaml(value) is value
