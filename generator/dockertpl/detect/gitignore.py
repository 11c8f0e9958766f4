"""What git leaves out of a repository, by the .gitignore files in it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dockertpl.detect.repository import Repository, join, parent, relative_to

if TYPE_CHECKING:
    import pathspec


class Rule(NamedTuple):
    """The line of a .gitignore that leaves a path out."""

    path: str
    line: int


def ignored_by(repository: Repository, path: str) -> Rule | None:
    """Return the line that keeps a file or folder out of git, or None where none does.

    The file that is nearest to the path decides, and in it the last line that matches, as in git.

    Args:
        repository: The repository.
        path: A path in it, which need not exist.
    """
    # What lies in a folder that git leaves out is left out, too.
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
                # A pattern that ends in a slash matches a folder alone, and this may be one.
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
    # Most applications open nothing that git could leave out.
    import pathspec

    try:
        spec = pathspec.GitIgnoreSpec.from_lines([line])
    except ValueError:
        return None
    pattern = next(iter(spec.patterns), None)
    return pattern if isinstance(pattern, pathspec.RegexPattern) and pattern.include is not None else None
