"""The map in CONTRIBUTING agrees with the folders, and its commands exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
#: The map names every folder directly below these.
WHOLE = ("generator/dockertpl", "templates", "tests")


def _named() -> set[str]:
    """Return the files and folders that the map names, relative to the repository root."""
    (block,) = re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    found, folder = set(), ""
    for line in block.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name if name.endswith("/") else ""
        found.add(str(PurePosixPath(folder if line.startswith(" ") else "", name)))
    return found


def _folders() -> set[str]:
    """Return the folders that Git has files in."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    files = map(PurePosixPath, filter(None, listed.stdout.split("\0")))
    return {str(parent) for file in files for parent in file.parents}


def test_every_name_in_the_map_exists() -> None:
    assert len(_named()) > 40
    assert [name for name in sorted(_named()) if not (ROOT / name).exists()] == []


def test_the_map_names_every_folder_of_the_code_the_templates_and_the_tests() -> None:
    there = {folder for folder in _folders() if str(PurePosixPath(folder).parent) in WHOLE}
    assert there - _named() == set()


def test_every_make_target_that_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    texts = [(ROOT / name).read_text() for name in ("CONTRIBUTING.md", "RELEASING.md", "docs/contributing.md")]
    named = {name for text in texts for name in re.findall(r"\bmake ([a-z][a-z-]+)", text)}
    assert {"lint", "test", "lock"} <= named
    assert [name for name in sorted(named) if f"\n{name}: " not in makefile] == []
