"""What Python repositories are usually like, from data/conventions.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

_DATA = tomllib.loads((Path(__file__).parent / "data" / "conventions.toml").read_text("utf-8"))


def _ranks(names: list[str]) -> dict[str, int]:
    """Return a rank for every name, more for the first."""
    return {name: rank for rank, name in enumerate(reversed(names), 1)}


QUESTIONS: tuple[str, ...] = tuple(_DATA["questions"])
PYTHONS: tuple[str, ...] = tuple(_DATA["pythons"])
NEWEST_FIRST: tuple[str, ...] = tuple(sorted(PYTHONS, key=lambda one: int(one.partition(".")[2]), reverse=True))
NOT_DEPLOYED: frozenset[str] = frozenset(_DATA["folders"]["not_deployed"])
REQUIREMENTS: tuple[str, ...] = tuple(_DATA["requirements"]["production"])
DEVELOPMENT_REQUIREMENTS: tuple[str, ...] = tuple(_DATA["requirements"]["development"])
DEVELOPMENT_WORDS: frozenset[str] = frozenset(_DATA["development"]["words"])
APPLICATION_CLASSES: frozenset[str] = frozenset(_DATA["application"]["classes"])
MODULE_RANKS: dict[str, int] = _ranks(_DATA["application"]["modules"])
VARIABLE_RANKS: dict[str, int] = _ranks(_DATA["application"]["variables"])
FACTORY_RANKS: dict[str, int] = _ranks(_DATA["application"]["factories"])
SWITCHES: frozenset[str] = frozenset(_DATA["server"]["switches"])
