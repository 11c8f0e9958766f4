"""Find the paths that a repository's .gitignore files exclude."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dockertpl.detect.repository import Repository, join, parent, relative_to

if TYPE_CHECKING:
    import pathspec


class Rule(NamedTuple):
    """The line of a .gitignore that excludes a path."""

    path: str
    line: int


def ignored_by(repository: Repository, path: str) -> Rule | None:
    """Return the line that excludes a path from git, or None.

    As in git, the nearest file decides, and in it the last matching line. The path may be missing.
    """
    # A path in an excluded folder is excluded, too.
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        if rule := _decides(repository, "/".join(parts[:end])):
            return rule
    return None


def _decides(repository: Repository, path: str) -> Rule | None:
    folder = parent(path)
    while True:
        file = join(folder, ".gitignore")
        text = repository.text(file)
        if text:
            inside = relative_to(path, folder)
            for number, pattern in reversed(_patterns(text)):
                # A pattern that ends in a slash only matches a folder, and this may be one.
                if pattern.match_file(inside) is not None or pattern.match_file(f"{inside}/") is not None:
                    return Rule(file, number) if pattern.include else None
        if folder == ".":
            return None
        folder = parent(folder)


@lru_cache(maxsize=64)
def _patterns(text: str) -> list[tuple[int, pathspec.RegexPattern]]:
    lines = enumerate(text.splitlines()[:2000], 1)
    return [(number, pattern) for number, line in lines if (pattern := _pattern(line)) is not None]


def _pattern(line: str) -> pathspec.RegexPattern | None:
    # Most applications open no files that git could exclude.
    import pathspec

    try:
        spec = pathspec.GitIgnoreSpec.from_lines([line])
    except ValueError:
        return None
    pattern = next(iter(spec.patterns), None)
    return pattern if isinstance(pattern, pathspec.RegexPattern) and pattern.include is not None else None
