from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from dockertpl.detect.projects import dockerfiles_of, project_of
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def test_a_file_belongs_to_the_nearest_project_above() -> None:
    assert project_of("a/b/c.py", frozenset({".", "a"})) == "a"
    assert project_of("b/c.py", frozenset({".", "a"})) == "."


def test_a_dockerfile_in_another_folder_must_mention_it(repo: Repo) -> None:
    root = repo({"web/Dockerfile": "FROM x", "docker/a.Dockerfile": "FROM node", "docker/b.Dockerfile": "FROM go"})
    found = dockerfiles_of(Repository(root), "web", frozenset({".", "web"}), re.compile("node"))
    assert found == ["web/Dockerfile", "docker/a.Dockerfile"]
