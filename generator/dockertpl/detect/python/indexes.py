"""Where dependencies come from: indexes with a password or a variable in their address, several indexes, SSH."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.lock import Production, is_pylock
from dockertpl.detect.python.project import Project
from dockertpl.detect.tomlfile import line_of

# pip and uv replace ${NAME}. Pipenv also replaces $NAME. uv and PDM set PROJECT_ROOT.
_VARIABLE = r"\$\{([A-Z_][A-Z0-9_]*)\}"
_BARE_VARIABLE = rf"{_VARIABLE}|\$([A-Z_][A-Z0-9_]*)"
_OWN = frozenset({"PROJECT_ROOT"})
_SSH = re.compile(r"(?:git\+)?ssh://|(?:git\+)?[\w.-]+@[\w.-]+:(?!\d)")


class Index(NamedTuple):
    """An index in the repository, and whether the manager always sends a password to it."""

    url: str
    path: str
    asks: bool = False


@lru_cache(maxsize=1)
def _private() -> re.Pattern[str]:
    data = tomllib.loads((Path(__file__).parent / "data" / "indexes.toml").read_text("utf-8"))
    return re.compile("|".join(data["private"]["patterns"]), re.IGNORECASE)


def find_indexes(
    project: Project, found: Detection, manager: str, requirements_file: str, dockerfiles: Sequence[str]
) -> None:
    """Answer `build_secrets`, `private_index` and `several_indexes`.

    Args:
        project: The application's folder.
        found: Where answers go.
        manager: The package manager.
        requirements_file: For pip, the requirements file, relative to the root; else empty.
        dockerfiles: Existing Dockerfiles, the likeliest first.
    """
    files = _requirements(project, requirements_file)
    _find_variables(project, found, manager, files)
    _find_private(project, found, files, dockerfiles)
    _find_several(project, found, manager, files)


def find_ssh(project: Project, found: Detection, locked: Production) -> None:
    """Answer `ssh` where a dependency is fetched over SSH.

    Args:
        project: The application's folder.
        found: Where the answer goes.
        locked: What production installs.
    """
    for name, package in locked.packages.items():
        if _SSH.match(package.git):
            path, line = locked.place(name, project.repository)
            found.answer("ssh", True, path, line, f"{name} comes over SSH")
            return


def _requirements(project: Project, file: str) -> list[str]:
    """Return a requirements file and those that it includes."""
    files = [file] if file and not is_pylock(file) else []
    for path in files:
        files += [one for one in project.includes(path) if one not in files][:50]
    return files


def _find_variables(project: Project, found: Detection, manager: str, files: Sequence[str]) -> None:
    """Answer `build_secrets` with the variables that the manager puts into addresses."""
    places: dict[str, tuple[str, int | None]] = {}
    texts = [(path, project.repository.text(path) or "", _VARIABLE) for path in files]
    texts += [(index.path, index.url, _BARE_VARIABLE) for index in _tables(project, manager)]
    for path, text, pattern in texts:
        for line in text.splitlines():
            for match in re.finditer(pattern, line.partition(" #")[0] if not line.lstrip().startswith("#") else ""):
                name = next(filter(None, match.groups()))
                if name not in _OWN:
                    places.setdefault(name, (path, line_of(project.repository.text(path) or "", re.escape(match[0]))))
    if places:
        first = next(iter(places))
        found.answer("build_secrets", sorted(places), *places[first], "in the address of an index or a package")


def _find_private(project: Project, found: Detection, files: Sequence[str], dockerfiles: Sequence[str]) -> None:
    """Answer `private_index` with yes where an index looks like one that asks for a password."""
    indexes = [*_tables(project, ""), *_of_files(project, [*files, project.at("pip.conf")])]
    for index in indexes:
        if "build_secrets" in found.answers and "$" in index.url:
            continue  # the variables are the password
        if index.asks or _private().search(index.url):
            # The address may hold a password: it is not repeated.
            host = re.sub(r"^\w+://(?:[^/@]*@)?", "", index.url).partition("/")[0]
            line = line_of(project.repository.text(index.path) or "", re.escape(index.url))
            found.answer("private_index", True, index.path, line, f"an index at {host}")
            return
    for path in dockerfiles[:1]:
        if line := line_of(project.repository.text(path) or "", r"^[^#\n]*[./]netrc\b"):
            found.answer("private_index", True, path, line, "it uses a netrc")
            return


def _find_several(project: Project, found: Detection, manager: str, files: Sequence[str]) -> None:
    """Answer `several_indexes` where pip or Poetry took packages of several, each its best version of any."""
    if manager == "pip":
        for path in files:
            text = project.repository.text(path) or ""
            # What uv compiled has taken each package from the first index that has it, and so is installed again.
            if line := line_of(text, r"^[ \t]*--extra-index-url\b"):
                if "uv pip compile" not in text[:1000]:
                    found.answer("several_indexes", True, path, line, "an index besides")
                return
    if manager == "poetry":
        sources = project.table("tool", "poetry").get("source")
        entries = [entry for entry in sources if isinstance(entry, dict)] if isinstance(sources, list) else []
        primary = [entry for entry in entries if entry.get("priority", "primary") in ("primary", "default")]
        if len(entries) > 1 or len(entries) > len(primary):
            line = project.line("tool", "poetry", "source")
            found.answer("several_indexes", True, project.manifest, line, f"{len(entries)} sources")


def _tables(project: Project, manager: str) -> Iterator[Index]:
    """Yield the indexes of pyproject.toml and Pipfile; for a manager, those whose variables it puts in."""
    uv = project.table("tool", "uv")
    poetry, pdm = (project.table("tool", name).get("source") for name in ("poetry", "pdm"))
    pipfile = project.at("Pipfile")
    sources: list[tuple[str, str, Any]] = [
        ("uv", project.manifest, uv.get("index")),
        ("poetry", project.manifest, poetry),
        ("pdm", project.manifest, pdm),
        ("pipenv", pipfile, (project.repository.toml(pipfile) or {}).get("source")),
    ]
    for key in ("index-url", "extra-index-url"):
        value = uv.get(key)
        urls = value if isinstance(value, list) else [value]
        sources.append(("uv", project.manifest, [{"url": url} for url in urls]))
    for name, path, entries in sources:
        if manager and (name != manager or name == "uv"):
            continue
        for entry in entries if isinstance(entries, list) else ():
            url = entry.get("url") if isinstance(entry, dict) else None
            if isinstance(url, str):
                yield Index(url, path, asks=entry.get("authenticate") == "always")


def _of_files(project: Project, files: Sequence[str]) -> Iterator[Index]:
    pattern = r"^[ \t]*(?:--)?(?:extra-)?index-url[ \t=]+(\S+)"
    for path in files:
        for url in re.findall(pattern, project.repository.text(path) or "", re.MULTILINE):
            yield Index(url, path)
