"""A build matrix: the cells that tests build and run, and checks that the cells are complete."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from dockertpl.template.environment import Template
from dockertpl.template.questions import load
from dockertpl.template.source import bundled

HERE = Path(__file__).parents[1]
Cell: TypeAlias = dict[str, Any]
Pair: TypeAlias = tuple[tuple[str, Any], tuple[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The cells of a file, and their dimensions.

    Attributes:
        file: Its name in tests/.
        values: The values of each dimension.
        groups: Groups of dimensions. Every pair of values within a group is tried together.
        named: The dimensions whose values, with hyphens between, make a cell's name.
        possible: Whether a cell's values go together.
    """

    file: str
    values: Mapping[str, Sequence[Any]]
    groups: Sequence[Sequence[str]]
    named: Sequence[str]
    possible: Callable[[Cell], bool]

    def cells(self) -> list[Cell]:
        """Return the cells as the file has them."""
        cells: list[Cell] = tomllib.loads((HERE / self.file).read_text())["cells"]
        return cells

    def untried(self) -> set[Pair]:
        """Return the possible pairs of values that no cell has."""
        wanted = {pair for cell in self._all() for pair in self._pairs(cell)}
        return wanted - {pair for cell in self.cells() for pair in self._pairs(cell)}

    def needless(self) -> list[Cell]:
        """Return the impossible and the duplicate cells."""
        possible = list(self._all())
        cells = [{key: cell[key] for key in self.values} for cell in self.cells()]
        return [cell for cell in cells if cell not in possible or cells.count(cell) > 1]

    def misnamed(self) -> list[Cell]:
        """Return the cells with names that do not match their values."""
        return [cell for cell in self.cells() if cell["id"] != "-".join(cell[key] for key in self.named)]

    def left_out_of_ci(self) -> set[tuple[str, Any]]:
        """Return the values that no ci cell has."""
        wanted = {(key, value) for key, values in self.values.items() for value in values}
        return wanted - {(key, cell[key]) for cell in self.cells() if cell.get("ci") for key in self.values}

    def parameters(self) -> list[Any]:
        """Return the cells as pytest parameters. All need an engine, and those outside ci are "full"."""
        return [
            pytest.param(
                cell, id=cell["id"], marks=[pytest.mark.engine] + ([] if cell.get("ci") else [pytest.mark.full])
            )
            for cell in self.cells()
        ]

    def _all(self) -> Iterator[Cell]:
        for values in itertools.product(*self.values.values()):
            cell = dict(zip(self.values, values, strict=True))
            if self.possible(cell):
                yield cell

    def _pairs(self, cell: Cell) -> Iterator[Pair]:
        for group in self.groups:
            yield from itertools.combinations([(key, cell[key]) for key in group], 2)


def flavors(kind: str) -> list[str]:
    """Return the flavors of a kind of image."""
    template = Template(bundled())
    flavor = next(question for question in load(template) if question.name == "flavor")
    return [choice.value for choice in flavor.offered(template, {"kind": kind})]
