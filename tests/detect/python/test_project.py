from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.python.project import Project, normalize, requirement
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


@pytest.mark.parametrize(
    ("text", "name", "extras"),
    [
        ("fastapi", "fastapi", set()),
        ("Uvicorn[standard]>=0.30 ; python_version < '3.12'", "uvicorn", {"standard"}),
        ("psycopg[binary, pool]==3.2", "psycopg", {"binary", "pool"}),
        ("x @ https://host/x.whl", "x", set()),
    ],
)
def test_requirements_are_read(text: str, name: str, extras: set[str]) -> None:
    found = requirement(text)
    assert found
    assert (found.name, set(found.extras)) == (name, extras)


@pytest.mark.parametrize("text", ["-r other.txt", "# comment", "", "--hash=sha256:x", "./local"])
def test_other_lines_are_none(text: str) -> None:
    assert requirement(text) is None


def test_names_are_normal() -> None:
    assert normalize("Flask_SQLAlchemy.Ext") == "flask-sqlalchemy-ext"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["psycopg2[x] >= 2"]\n'),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\npython = "^3.11"\npsycopg2 = {extras = ["x"], version = "2"}\n',
        ),
        ("Pipfile", '[packages]\npsycopg2 = {version = "*", extras = ["x"]}\n'),
        ("setup.cfg", "[options]\ninstall_requires =\n    psycopg2[x]>=2\n"),
    ],
)
def test_every_manifest_is_read(repo: Repo, path: str, text: str) -> None:
    (found,) = Project(Repository(repo({path: text})), ".").declared()
    assert (found.name, set(found.extras), found.path) == ("psycopg2", {"x"}, path)


def test_requirements_files_are_followed_but_not_for_ever_or_out(repo: Repo) -> None:
    root = repo(
        {
            "requirements/prod.txt": "-r base.txt\n-r ../../../etc/passwd\ngunicorn==1 \\\n    --hash=sha256:x\n",
            "requirements/base.txt": "-r prod.txt\nfastapi==1 # why\ngit+https://host/group/tool.git@v1\n",
        }
    )
    found = Project(Repository(root), ".").required("requirements/prod.txt")
    assert [one.name for one in found] == ["fastapi", "tool", "gunicorn"]
