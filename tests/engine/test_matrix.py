"""The build matrix of Python: build and run each supported combination, and send it requests.

The samples differ only in these values, and detection must find every value but the flavor.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.samples import sample

from . import host, service
from .bases import BaseImage
from .matrix import Cell, Matrix, flavors

DIMENSIONS = ("manager", "layout", "server", "flavor")
MATRIX = Matrix(
    file="matrix.toml",
    values={
        **{key: list(sample.catalog()[f"{key}s"]) for key in ("manager", "layout", "server")},
        "flavor": flavors("python-fastapi"),
    },
    groups=[DIMENSIONS],
    named=DIMENSIONS,
    possible=lambda cell: sample.is_possible(cell["manager"], cell["layout"]),
)
VERSION = "1.4.2"


@pytest.mark.parametrize("cell", MATRIX.parameters())
def test_a_repository_becomes_a_healthy_container(
    cell: Cell, docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images(*service.BASES)
    root = tmp_path / cell["id"]
    app_dir = sample.write_sample(root, manager=cell["manager"], layout=cell["layout"], server=cell["server"])
    answers = service.new(app_dir, "-d", f"flavor={cell['flavor']}")
    assert _expected(cell).items() <= answers.items(), answers

    tag = service.verify(app_dir, answers)
    with service.running(tag) as running:
        packaged = sample.catalog()["layouts"][cell["layout"]]["packaged"]
        assert [dish["gross"] for dish in running.json("/menu")] == ["5.00", "7.74"]
        assert running.json("/about") == {
            "version": VERSION if packaged else None,
            "python": "3.13",
            "uid": 10001,
            "has_test_tools": False,
        }
    docker.run("image", "rm", tag)


def _expected(cell: Cell) -> dict[str, Any]:
    """Return what detection must find in a cell's repository."""
    place = sample.catalog()["layouts"][cell["layout"]]
    expected = {
        "manager": sample.catalog()["managers"][cell["manager"]]["answer"],
        "layout": "package" if place["packaged"] else "src" if place["source"] == "src" else "flat",
        "server": cell["server"],
        "app": "orders.main:app",
        "app_factory": False,
        "health_path": "/health",
        "python_version": "3.13",
        "app_dir": place["app_dir"],
        "build_packages": [],
        "runtime_packages": [],
    }
    if place["packaged"]:
        expected["readme"] = "README.md"
    else:
        expected["app_file"] = "src/orders/main.py" if place["source"] == "src" else "orders/main.py"
        expected["check_app"] = False
    if "workspace" in place:
        expected |= {
            "context": ".",
            "workspace_members": ["libs/pricing", "libs/reports"],
            "workspace_packages": ["libs/pricing"],
        }
    if cell["server"] == "gunicorn":
        expected["gunicorn_worker"] = "uvicorn_worker.UvicornWorker"
    if expected["manager"] == "pip":
        source = "pyproject.toml" if place["packaged"] else "requirements.in"
        expected |= {
            "requirements_file": "requirements.txt",
            "requirements_source": source if cell["manager"] == "pip-compiled" else "",
            "requirements_dev": "requirements-dev.txt",
            "require_hashes": cell["manager"] == "pip-hashed",
        }
    elif expected["manager"] != "pipenv":
        expected["dev_groups"] = ["dev"]
    return expected
