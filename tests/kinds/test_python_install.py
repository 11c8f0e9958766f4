"""The rendered steps that install the dependencies of a Python application."""

from __future__ import annotations

from typing import Any

import pytest

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

pytestmark = pytest.mark.slow


def rendered(**answers: Any) -> dict[str, str]:
    """Return the files of a FastAPI application."""
    template = Template(bundled())
    data = {"kind": "python-fastapi", "name": "shop", **answers}
    tree = render(template, resolve(template, folder_name="shop", data=data))
    return {path: file.content.decode() for path, file in tree.items()}


def dockerfile(**answers: Any) -> str:
    """Return the Dockerfile of a FastAPI application."""
    return next(text for path, text in rendered(**answers).items() if path.endswith("Dockerfile"))


@pytest.mark.parametrize("manager", ["pip", "poetry", "pipenv", "pyproject"])
def test_an_environment_has_setuptools_where_python_brought_it(manager: str) -> None:
    for version in ("3.10", "3.11"):
        lines = dockerfile(manager=manager, python_version=version).splitlines()
        seeded = [line for line in lines if "uv pip install setuptools==" in line]
        assert len(seeded) == 1, "once, before the dependencies, whose lock may name another version"
        venv = next(index for index, line in enumerate(lines) if "uv venv /opt/venv" in line)
        assert lines[venv + 1] == seeded[0]
    for version in ("3.12", "3.13", "3.14"):
        assert "setuptools" not in dockerfile(manager=manager, python_version=version)


@pytest.mark.parametrize("manager", ["uv", "pdm"])
def test_managers_whose_environments_never_had_setuptools_add_none(manager: str) -> None:
    assert "setuptools" not in dockerfile(manager=manager, python_version="3.11")


def test_what_the_check_of_uvs_lock_reads_is_there_before_it() -> None:
    text = dockerfile(manager="uv", install_files=["requirements.txt", "deps/server.txt"])
    copies = (
        "COPY pyproject.toml uv.lock ./\nCOPY requirements.txt requirements.txt\nCOPY deps/server.txt deps/server.txt\n"
    )
    assert copies in text
    assert text.index(copies) < text.index("uv sync --locked")


def test_development_keeps_the_groups_of_production() -> None:
    text = dockerfile(manager="uv", groups=["db"], dev_groups=["dev"])
    assert "--no-default-groups --no-install-project --group db\n" in text
    assert "uv sync --locked --no-install-project --group db --group dev" in text


def test_every_requirements_file_is_installed() -> None:
    text = dockerfile(manager="pip", requirements_more=["deps/server.txt"], install_files=["wheels"])
    assert "COPY requirements.txt ./\nCOPY deps/server.txt deps/\nCOPY wheels wheels\nRUN" in text
    assert "uv pip install -r requirements.txt -r deps/server.txt\n" in text


BESIDE = {"app_dir": "api", "context": ".", "own_lock": True, "local_packages": ["libs/common"]}


def test_a_lock_beside_the_application_is_checked_where_it_lies() -> None:
    text = dockerfile(**BESIDE)
    assert "\nCOPY api/pyproject.toml api/uv.lock ./\nCOPY libs/common/pyproject.toml /app/libs/common/\nRUN" in text
    assert "uv sync --locked --no-default-groups --no-install-local\n" in text
    code = text.partition("AS code")[2].partition("# --- ")[0]
    assert "COPY --chmod=u=rwX,go=rX libs/common /app/libs/common\n" in code
    assert "--editable /app/libs/common" in code


def test_a_change_of_a_package_beside_the_application_starts_the_workflow() -> None:
    workflow = rendered(**BESIDE)[".github/workflows/shop-image.yml"]
    assert "- api/**\n      - libs/common/**\n" in workflow
    assert "uv.lock" not in workflow.partition("jobs:")[0]


def test_the_build_of_a_local_package_may_ask_for_its_readme() -> None:
    assert "\n!libs/common/README*\n" in rendered(local_packages=["libs/common"])[".dockerignore"]
