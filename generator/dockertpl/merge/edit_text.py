"""Edits within a user's text. Every other byte stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import yaml


class Edit(NamedTuple):
    """Replace the characters from `start` up to `end` with a text. An empty span is an insertion."""

    start: int
    end: int
    text: str


def insertion(at: int, text: str) -> Edit:
    """Return an edit that only inserts text."""
    return Edit(at, at, text)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits applied. They must not overlap. Two at one position keep their order."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def last_of(node: yaml.Node) -> int:
    """Return where a YAML node's last value ends. A block's own mark is after the comments that follow it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return last_of(last[1] if isinstance(node, yaml.MappingNode) else last)
