"""Conventions of repositories, from data/conventions.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

_DATA = tomllib.loads((Path(__file__).parent / "data" / "conventions.toml").read_text("utf-8"))

IGNORED_FOLDERS: frozenset[str] = frozenset(_DATA["folders"]["ignored"])
NAMELESS: frozenset[str] = frozenset(_DATA["folders"]["nameless"])
