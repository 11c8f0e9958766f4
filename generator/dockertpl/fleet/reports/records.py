"""A report as objects for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from dockertpl.fleet.model import ItemResult, Row


def records(items: Iterable[Row] | Iterable[ItemResult]) -> Iterator[dict[str, Any]]:
    """Yield each item as an object with its fields. Several values are a list."""
    for item in items:
        yield {field.name: _plain(getattr(item, field.name)) for field in fields(item)}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
