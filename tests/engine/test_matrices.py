"""Every build matrix is complete and has no duplicates."""

from __future__ import annotations

import pytest

from . import test_matrix, test_next_matrix
from .matrix import Matrix

pytestmark = pytest.mark.parametrize("matrix", [test_matrix.MATRIX, test_next_matrix.MATRIX], ids=lambda one: one.file)


def test_every_pair_of_values_that_go_together_is_in_the_matrix(matrix: Matrix) -> None:
    assert matrix.untried() == set()


def test_no_cell_is_impossible_or_there_twice(matrix: Matrix) -> None:
    assert matrix.needless() == []


def test_a_cell_is_named_after_its_values(matrix: Matrix) -> None:
    assert matrix.misnamed() == []


def test_the_part_for_ci_touches_every_value(matrix: Matrix) -> None:
    assert matrix.left_out_of_ci() == set()
