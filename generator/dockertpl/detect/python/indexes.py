"""Package indexes that ask for a password, by their address."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.project import Project
from dockertpl.detect.tomlfile import line_of


class Index(NamedTuple):
    """One index that the repository names, and whether the manager is told to send a password at once."""

    url: str
    path: str
    asks: bool = False


@lru_cache(maxsize=1)
def _private() -> re.Pattern[str]:
    data = tomllib.loads((Path(__file__).parent / "data" / "indexes.toml").read_text("utf-8"))
    return re.compile("|".join(data["private"]["patterns"]), re.IGNORECASE)


def find_private_index(project: Project, found: Detection, requirements_file: str) -> None:
    """Answer `private_index` with yes where an index looks like one that asks for a password."""
    for index in _indexes(project, requirements_file):
        if index.asks or _private().search(index.url):
            # The address may hold a password: it is not repeated.
            host = re.sub(r"^\w+://(?:[^/@]*@)?", "", index.url).partition("/")[0]
            line = line_of(project.repository.text(index.path) or "", re.escape(index.url))
            found.answer("private_index", True, index.path, line, f"an index at {host}")
            return


def _indexes(project: Project, requirements_file: str) -> Iterator[Index]:
    uv = project.table("tool", "uv")
    lists: list[Any] = [
        uv.get("index"),
        project.table("tool", "poetry").get("source"),
        project.table("tool", "pdm").get("source"),
    ]
    for key in ("index-url", "extra-index-url"):
        value = uv.get(key)
        lists.append([{"url": url} for url in (value if isinstance(value, list) else [value])])
    pipfile = project.at("Pipfile")
    sources = [(project.manifest, entries) for entries in lists]
    sources.append((pipfile, (project.repository.toml(pipfile) or {}).get("source")))
    for path, entries in sources:
        for entry in entries if isinstance(entries, list) else ():
            url = entry.get("url") if isinstance(entry, dict) else None
            if isinstance(url, str):
                yield Index(url, path, asks=entry.get("authenticate") == "always")
    for path in filter(None, (requirements_file, project.at("pip.conf"))):
        pattern = r"^[ \t]*(?:--)?(?:extra-)?index-url[ \t=]+(\S+)"
        for url in re.findall(pattern, project.repository.text(path) or "", re.MULTILINE):
            yield Index(url, path)
