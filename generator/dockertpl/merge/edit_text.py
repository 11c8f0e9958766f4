"""Changes in the middle of a text that a person keeps, with everything else left byte for byte."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import yaml


class Edit(NamedTuple):
    """Text for what stands from `start` to before `end`, counted in characters; for nothing, where they are one."""

    start: int
    end: int
    text: str


def insertion(at: int, text: str) -> Edit:
    """Return an edit that puts text in and takes nothing out.

    Args:
        at: Where.
        text: What.
    """
    return Edit(at, at, text)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits, none of which overlaps another; of two at one place the earlier comes first.

    Args:
        text: The text.
        edits: What to change, in any order.
    """
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def last_of(node: yaml.Node) -> int:
    """Return where a YAML node's last value ends: a block's own mark is behind the comments that follow it.

    Args:
        node: The node.
    """
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return last_of(last[1] if isinstance(node, yaml.MappingNode) else last)
