"""Stub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def pieces(records: Sequence[Any], form: str, *, title: str, width: int, colour: bool) -> Iterator[str]:
    for record in records:
        what = getattr(record, "state", None) or record.result
        yield f"{record.repository:<40} {record.image:<20} {what}\n"
