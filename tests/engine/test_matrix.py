"""The build matrix: what the promises are made for is built, run and asked.

The samples differ in nothing else, and everything but the flavour has to be detected.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.samples import sample

from dockertpl.template.environment import Template
from dockertpl.template.questions import load
from dockertpl.template.source import bundled

from . import host, service
from .bases import BaseImage

MATRIX = Path(__file__).parents[1] / "matrix.toml"
DIMENSIONS = ("manager", "layout", "server", "flavour")
VERSION = "1.4.2"
Cell: TypeAlias = dict[str, Any]
Pair: TypeAlias = tuple[tuple[str, str], tuple[str, str]]


def _cells() -> list[Cell]:
    cells: list[Cell] = tomllib.loads(MATRIX.read_text())["cells"]
    return cells


def _values() -> dict[str, list[str]]:
    template = Template(bundled())
    flavour = next(question for question in load(template) if question.name == "flavour")
    names = {f"{key}": list(sample.catalogue()[f"{key}s"]) for key in ("manager", "layout", "server")}
    return {**names, "flavour": [choice.value for choice in flavour.offered(template, {})]}


def _pairs(cell: Cell) -> Iterator[Pair]:
    yield from itertools.combinations([(key, cell[key]) for key in DIMENSIONS], 2)


def _possible() -> Iterator[Cell]:
    for values in itertools.product(*_values().values()):
        cell = dict(zip(DIMENSIONS, values, strict=True))
        if sample.is_possible(cell["manager"], cell["layout"]):
            yield cell


def test_every_pair_of_values_that_go_together_is_in_the_matrix() -> None:
    covered = {pair for cell in _cells() for pair in _pairs(cell)}
    assert {pair for cell in _possible() for pair in _pairs(cell)} - covered == set()


def test_no_cell_is_impossible_or_there_twice() -> None:
    cells = [{key: cell[key] for key in DIMENSIONS} for cell in _cells()]
    assert [cell for cell in cells if cell not in list(_possible())] == []
    assert [cell for cell in cells if cells.count(cell) > 1] == []


def test_a_cell_is_named_after_its_values() -> None:
    assert [cell["id"] for cell in _cells()] == ["-".join(cell[key] for key in DIMENSIONS) for cell in _cells()]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_part_for_ci_touches_every_value(dimension: str) -> None:
    assert {cell[dimension] for cell in _cells() if cell.get("ci")} == set(_values()[dimension])


def _parameters() -> Iterator[Any]:
    for cell in _cells():
        marks = [pytest.mark.engine] + ([] if cell.get("ci") else [pytest.mark.full])
        yield pytest.param(cell, id=cell["id"], marks=marks)


@pytest.mark.parametrize("cell", list(_parameters()))
def test_a_repository_becomes_a_healthy_container(
    cell: Cell, docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images(*service.BASES)
    root = tmp_path / cell["id"]
    app_dir = sample.write_sample(root, manager=cell["manager"], layout=cell["layout"], server=cell["server"])
    answers = service.new(app_dir, "-d", f"flavour={cell['flavour']}")
    assert _expected(cell).items() <= answers.items(), answers

    code, facts = service.dockertpl("verify", str(app_dir))
    assert code == 0, facts
    assert facts["built"]
    assert facts["healthy"]
    assert facts["uid"] == 10001
    assert facts["read_only"]
    assert facts["stop_seconds"] < 2

    tag = f"dockertpl/{answers['name']}:verify"
    with service.running(tag) as running:
        packaged = sample.catalogue()["layouts"][cell["layout"]]["packaged"]
        assert [dish["gross"] for dish in running.json("/menu")] == ["5.00", "7.74"]
        assert running.json("/about") == {
            "version": VERSION if packaged else None,
            "python": "3.13",
            "uid": 10001,
            "has_test_tools": False,
        }
    docker.run("image", "rm", tag)


def _expected(cell: Cell) -> dict[str, Any]:
    """Return what detection has to find in a cell's repository."""
    place = sample.catalogue()["layouts"][cell["layout"]]
    expected = {
        "manager": sample.catalogue()["managers"][cell["manager"]]["answer"],
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
