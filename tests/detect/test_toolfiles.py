from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.detect.repository import Repository
from dockertpl.detect.toolfiles import versions_of

Repo = Callable[[Mapping[str, str]], Path]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (".tool-versions", "# tools\nuv 0.7.2 # pinned\nnodejs 24.1.0 22\n", ("0.7.2", 2)),
        ("mise.toml", '[tools]\nuv = "0.7"\n', ("0.7", 2)),
        (".config/mise.toml", '[tools]\n"uv" = ["0.7.1", "0.6"]\n', ("0.7.1", 2)),
        (".mise.toml", '[tools.uv]\nversion = "0.7"\nos = ["linux"]\n', ("0.7", 2)),
        ("mise/config.toml", '[tools]\nuv = { os = ["linux"], version = "0.7" }\n', ("0.7", 2)),
        ("mise.toml", "[tools]\nuv = 0.7\n", ("0.7", 2)),
    ],
)
def test_each_form_names_a_version(repo: Repo, path: str, text: str, expected: tuple[str, int]) -> None:
    found = list(versions_of(Repository(repo({path: text})), ".", ["uv"]))
    assert [(one.text, one.line) for one in found] == [expected]
    assert found[0].path == path


@pytest.mark.parametrize("text", ['[env]\nuv = "1"\n', '[tools]\nuvicorn = "1"\n', "[tools\nuv =\n", ""])
def test_nothing_else_is_taken_for_one(repo: Repo, text: str) -> None:
    assert not list(versions_of(Repository(repo({"mise.toml": text})), ".", ["uv"]))
