"""What Next.js repositories are usually like, from data/conventions.toml and data/releases.toml."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "data"
_DATA = tomllib.loads((_FOLDER / "conventions.toml").read_text("utf-8"))
_RELEASES = tomllib.loads((_FOLDER / "releases.toml").read_text("utf-8"))

QUESTIONS: tuple[str, ...] = tuple(_DATA["questions"])
IGNORED_FOLDERS: frozenset[str] = frozenset(_DATA["folders"]["ignored"])
NOT_DEPLOYED: frozenset[str] = frozenset(_DATA["folders"]["not_deployed"])
SOURCES: tuple[str, ...] = tuple(_DATA["source"]["extensions"])
NOT_BUILT: frozenset[str] = frozenset(_DATA["source"]["not_built"])
CONFIGS: tuple[str, ...] = tuple(_DATA["config"]["files"])
LOCKS: dict[str, list[str]] = _DATA["locks"]
LOCK_COMMANDS: dict[str, str] = _DATA["lock_commands"]
WORKSPACE_FILES: tuple[str, ...] = tuple(_DATA["workspace"]["files"])
RUNNERS: frozenset[str] = frozenset(_DATA["install"]["runners"])
HARMLESS: frozenset[str] = frozenset(_DATA["install"]["harmless"])

NODES: tuple[str, ...] = tuple(_RELEASES["nodes"])
NODE_NAMES: dict[str, str] = _RELEASES["names"]
OLDEST_NODE: dict[str, str] = _RELEASES["next"]
FIRST_STANDALONE: str = _RELEASES["milestones"]["standalone"]
OLD_NEXT: int = _RELEASES["milestones"]["old"]
BRINGS_SHARP: int = _RELEASES["milestones"]["sharp"]
NEWEST_NODE: dict[str, int] = _RELEASES["next_newest"]
NPM_OF_NODE: dict[str, int] = _RELEASES["npm"]
PNPM_LOCKS: dict[str, list[int]] = _RELEASES["pnpm"]


def releases(manager: str) -> tuple[str, ...]:
    """Return the newest release of each major version of a manager, the oldest first."""
    return tuple(_RELEASES["managers"][manager]["releases"])


def default_major(manager: str) -> int:
    """Return the major version of a manager that the template installs; 0 for npm, which Node.js brings."""
    return int(_RELEASES["managers"][manager].get("default", 0))


@lru_cache(maxsize=1)
def private_registry() -> re.Pattern[str]:
    """Return what the address of a registry looks like that asks for a password."""
    return re.compile("|".join(_DATA["private"]["patterns"]), re.IGNORECASE)


@lru_cache(maxsize=1)
def system_packages() -> dict[str, dict[str, object]]:
    """Return the rules of data/system_packages.toml, by package."""
    return tomllib.loads((_FOLDER / "system_packages.toml").read_text("utf-8"))
