"""The tables of data/commands.toml, compiled."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def commands() -> dict[str, Any]:
    """Return the tables of the file."""
    return tomllib.loads((Path(__file__).parent / "data" / "commands.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def rules() -> tuple[tuple[re.Pattern[str], str, dict[str, Any]], ...]:
    """Return the rules for commands: the pattern, `template` or `dropped`, and the row."""
    return tuple(
        (re.compile(row["match"], re.DOTALL), outcome, row)
        for outcome in ("template", "dropped")
        for row in commands()[outcome]
    )


@lru_cache(maxsize=8)
def pattern(table: str, key: str) -> re.Pattern[str]:
    """Return one pattern of a table."""
    return re.compile(commands()[table][key])
