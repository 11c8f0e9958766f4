"""Which line keeps a path out of git, by git's own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.repository import Repository


@pytest.mark.parametrize(
    ("files", "path", "rule"),
    [
        ({".gitignore": "dist/\n"}, "app/dist", (".gitignore", 1)),
        ({".gitignore": "# x\n\n/dist\n"}, "dist/a/b.js", (".gitignore", 3)),
        ({".gitignore": "/dist\n"}, "app/dist", None),
        ({"app/.gitignore": "dist\n"}, "app/dist", ("app/.gitignore", 1)),
        ({".gitignore": "dist\n", "app/.gitignore": "!dist\n"}, "app/dist", None),
        ({".gitignore": "/.yarn/*\n!/.yarn/releases\n"}, ".yarn/releases/yarn.cjs", None),
        ({".gitignore": "/.yarn/*\n!/.yarn/releases\n"}, ".yarn/cache/x", (".gitignore", 1)),
        ({".gitignore": "a/\n!a/b\n"}, "a/b", (".gitignore", 1)),
        ({}, "dist", None),
    ],
)
def test_the_nearest_file_and_its_last_line_decide(
    repo: Callable[[Mapping[str, str]], Path], files: dict[str, str], path: str, rule: tuple[str, int] | None
) -> None:
    assert ignored_by(Repository(repo({**files, "x": ""})), path) == rule
