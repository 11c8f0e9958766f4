"""The shell completion of docs/how-to/install.md works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "install.md").read_text(encoding="utf-8")


def _asked(instruction: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dockertpl"],
        env={**os.environ, "_DOCKERTPL_COMPLETE": instruction, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_line_for_a_shell_prints_a_script_that_completes_dockertpl(shell: str) -> None:
    assert f"_DOCKERTPL_COMPLETE={shell}_source dockertpl" in PAGE
    script = _asked(f"{shell}_source")
    assert f"_DOCKERTPL_COMPLETE={shell}_complete" in script


def test_bash_completes_with_the_line_of_the_page(tmp_path: Path) -> None:
    line = re.search(r'`(eval "\$\(_DOCKERTPL_COMPLETE=bash_source dockertpl\)")`', PAGE)
    assert line
    command = tmp_path / "dockertpl"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dockertpl "$@"\n')
    command.chmod(0o755)
    words = "COMP_WORDS=(dockertpl ver) COMP_CWORD=1"
    script = f'{line[1]}\n{words}\n_dockertpl_completion dockertpl\necho "${{COMPREPLY[@]}}"'
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "verify\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dockertpl fleet ap", {"plain,apply"}),
        ("dockertpl new --update-bot r", {"plain,renovate"}),
        ("dockertpl verify --max-", {"plain,--max-bytes", "plain,--max-ready"}),
        ("dockertpl verify s", {"file,s"}),
    ],
)
def test_commands_options_choices_and_paths_are_completed(words: str, expected: set[str]) -> None:
    answer = _asked("bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1))
    assert set(answer.split()) == expected
