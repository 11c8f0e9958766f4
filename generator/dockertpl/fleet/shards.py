"""Stub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockertpl.fleet.plan import Item


def shard(items: Sequence[Item], number: int, of: int) -> list[Item]:
    names = sorted({item.repository.key for item in items})
    mine = set(names[number - 1 :: of])
    return [item for item in items if item.repository.key in mine]


def github_matrix(of: int) -> dict[str, Any]:
    return {"include": [{"shard": f"{number}/{of}"} for number in range(1, of + 1)]}


def gitlab_children(of: int, *, plan: str) -> str:
    return ""
