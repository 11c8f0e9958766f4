from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.root import repository_root
from dockertpl.errors import DestinationError

Repo = Callable[[dict[str, str]], Path]


def test_root_is_the_nearest_folder_with_git(repo: Repo) -> None:
    root = repo({"services/api/main.py": ""})
    assert repository_root(root / "services" / "api") == (root, "services/api")
    assert repository_root(root) == (root, None)


def test_root_is_the_folder_itself_without_git(tmp_path: Path) -> None:
    assert repository_root(tmp_path) == (tmp_path.resolve(), None)


def test_a_worktree_has_a_git_file(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "app").mkdir()
    assert repository_root(tmp_path / "app") == (tmp_path.resolve(), "app")


@pytest.mark.parametrize("name", ["absent", "file"])
def test_root_of_no_folder_is_bad_input(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DestinationError, match=name):
        repository_root(tmp_path / name)


def test_a_folder_that_is_still_to_be_made_has_a_root_too(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert repository_root(tmp_path / "not" / "yet", missing_ok=True) == (tmp_path, "not/yet")
    with pytest.raises(DestinationError, match="is a file"):
        repository_root(_file(tmp_path) / "below", missing_ok=True)


def _file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file"
