"""The samples are real: valid manifests, the same application everywhere, and no lock in a commit."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.samples import sample

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt")
POSSIBLE = [
    (manager, layout)
    for manager in sample.catalog()["managers"]
    for layout in sample.catalog()["layouts"]
    if sample.is_possible(manager, layout)
]


def _written(folder: Path, manager: str, layout: str) -> Path:
    return sample.write_sample(folder, manager=manager, layout=layout, server="uvicorn", lock=False)


@pytest.mark.parametrize(("manager", "layout"), POSSIBLE)
def test_a_sample_has_the_application_where_its_layout_says(manager: str, layout: str, tmp_path: Path) -> None:
    app_dir = _written(tmp_path, manager, layout)
    place = sample.catalog()["layouts"][layout]
    assert app_dir == tmp_path / place["app_dir"]
    assert (app_dir / place["source"] / "orders" / "main.py").exists()
    assert (app_dir / place["source"] / "orders" / "data" / "menu.json").exists()
    assert (tmp_path / ".git").is_dir()


@pytest.mark.parametrize(("manager", "layout"), POSSIBLE)
def test_a_sample_s_manifests_are_valid_and_say_whether_it_is_packaged(
    manager: str, layout: str, tmp_path: Path
) -> None:
    app_dir = _written(tmp_path, manager, layout)
    manifests: dict[str, Any] = {
        path.name: tomllib.loads(path.read_text())
        for path in (app_dir / "pyproject.toml", app_dir / "Pipfile")
        if path.exists()
    }
    packaged = sample.catalog()["layouts"][layout]["packaged"]
    assert ("build-system" in manifests.get("pyproject.toml", {})) == packaged
    assert ("Pipfile" in manifests) == (manager == "pipenv")


def test_every_server_brings_its_packages(tmp_path: Path) -> None:
    for server, packages in sample.catalog()["servers"].items():
        folder = tmp_path / server
        sample.write_sample(folder, manager="uv", layout="flat", server=server, lock=False)
        assert set(packages) <= set(tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"])


def test_the_import_package_can_have_another_name(tmp_path: Path) -> None:
    sample.write_sample(tmp_path, manager="uv", layout="package-flat", server="uvicorn", package="app", lock=False)
    assert (tmp_path / "app" / "main.py").exists()
    assert tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]["name"] == "app"


def test_a_workspace_is_uv_s_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="poetry has no layout member-flat"):
        _written(tmp_path, "poetry", "member-flat")


def test_no_lock_is_kept_among_the_sources() -> None:
    assert [path for path in sample.HERE.rglob("*") if path.name in LOCKS] == []
