"""Every rendered file reads as if a careful engineer wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from tests.lint.rendering import Rendering

LEFT = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
# GitHub's expressions, the engine's Go templates, and the patterns of metadata-action use the same syntax.
OTHERS = re.compile(
    r"\$\{\{ [^{}]*(?:\{\d\}[^{}]*)* \}\}"
    r'|\{\{(?:range |json |printf "%s" )?\.[\w.]+\}\}'
    r"|\{\{end\}\}|\{\{(?:version|major|minor)\}\}"
)

#: The name of a fault, and its pattern.
FAULTS: dict[str, Callable[[str], bool]] = {
    "trailing blanks": lambda text: bool(re.search(r"[ \t]+$", text, re.MULTILINE)),
    # Python puts two before a function.
    "two empty lines in a row": lambda text: bool(re.search(r"\n\n\n(?!def |if __name__)", text)),
    "not one newline at the end": lambda text: not re.search(r"[^\n]\n\Z", text),
    "an empty line at the start": lambda text: text.startswith("\n"),
    "a tab": lambda text: "\t" in text,
    "what the template's language left behind": lambda text: bool(LEFT.search(OTHERS.sub("", text))),
    "a continuation into nothing": lambda text: bool(re.search(r"\\\n\s*(\n|\Z)", text)),
    "a line that none continues": lambda text: bool(re.search(r"[^\\\n]\n +(?:&&|\|\|) ", text)),
    # Quoted lines belong to a program with its own indentation. HCL's formatter aligns equals signs. sha256sum
    # needs two spaces.
    "a gap inside a line": lambda text: bool(
        re.search(r"^ *[^'\s](?:.*\S)? {2,}[^=\s]", text.replace("$sha256  ", ""), re.MULTILINE)
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_rendered_file_has(fault: str, renderings: list[Rendering]) -> None:
    found = {
        path: rendering.number
        for rendering in renderings
        for path, text in rendering.texts.items()
        if FAULTS[fault](re.sub(r"\n *#[^\n]*(?=\n)", "", text) if "continues" in fault else text)
    }
    assert found == {}
