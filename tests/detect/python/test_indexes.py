from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.indexes import find_private_index
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
PRIVATE = "https://gitlab.example/api/v4/projects/7/packages/simple"


def look(root: Path) -> Detection:
    found = Detection()
    find_private_index(Project(Repository(root), "."), found, "requirements.txt")
    return found


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("pyproject.toml", f"[[tool.uv.index]]\nname = 'x'\nurl = '{PRIVATE}'\n", 3),
        ("pyproject.toml", f"[tool.uv]\nextra-index-url = ['{PRIVATE}']\n", 2),
        ("pyproject.toml", f"[tool.uv]\nindex-url = '{PRIVATE}'\n", 2),
        ("pyproject.toml", "[[tool.uv.index]]\nurl = 'https://x.example/simple'\nauthenticate = 'always'\n", 2),
        ("pyproject.toml", f"[[tool.poetry.source]]\nname = 'x'\nurl = '{PRIVATE}'\n", 3),
        ("pyproject.toml", f"[[tool.pdm.source]]\nurl = '{PRIVATE}'\n", 2),
        ("Pipfile", f"[[source]]\nurl = '{PRIVATE}'\n", 2),
        ("Pipfile", "[[source]]\nurl = 'https://$USER:${PASS}@x.example/simple'\n", 2),
        ("requirements.txt", f"--extra-index-url {PRIVATE}\n", 1),
        ("requirements.txt", "-r x\n--index-url=https://me:secret@x.example/simple\n", 2),
    ],
)
def test_an_index_that_asks_for_a_password_is_found(repo: Repo, path: str, text: str, line: int) -> None:
    found = look(repo({path: text}))
    assert found.answers["private_index"] is True
    assert found.evidence["private_index"].where == f"{path}:{line}"
    assert "secret" not in found.evidence["private_index"].note


@pytest.mark.parametrize("url", ["https://index.example/simple", "https://download.example/whl/cpu"])
def test_a_public_index_is_none(repo: Repo, url: str) -> None:
    assert (
        look(repo({"requirements.txt": f"--extra-index-url {url}", "Pipfile": f"[[source]]\nurl = '{url}'"})).answers
        == {}
    )
