"""Commands that the output recommends."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockertpl.commands.advice import git_at


@pytest.mark.parametrize(
    ("here", "command"),
    [
        ("repo", "git"),
        ("repo/services/a b", "git -C ../.."),
        (".", "git -C repo"),
        ("other", "git -C {root}"),
    ],
)
def test_git_is_called_for_the_repository_from_wherever_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str, command: str
) -> None:
    for folder in ("repo/services/a b", "other"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / here)
    assert git_at(tmp_path / "repo") == command.format(root=tmp_path / "repo")
