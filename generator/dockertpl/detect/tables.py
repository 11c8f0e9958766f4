"""Read parsed files of an unknown structure."""

from __future__ import annotations

from typing import Any


def table(value: Any, *keys: str) -> dict[str, Any]:
    """Return the table at a path of keys, or an empty table."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> list[str]:
    """Return the strings of a list. Other values give an empty list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
