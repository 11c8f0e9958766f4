"""Things are done at once, in bounds, and come in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dockertpl.fleet import pool


def test_results_come_in_the_order_of_the_items_and_few_are_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    for number, result in enumerate(pool.ordered(lambda number: number * 2, items(), 4)):
        assert result == number * 2
        assert len(taken) <= number + 1 + 2 * 4
    assert len(taken) == 100


def test_they_are_done_at_once() -> None:
    together = threading.Barrier(4, timeout=10)
    # The first is alone.
    assert len(list(pool.ordered(lambda number: together.wait() if number else 0, range(5), 4))) == 5


def test_what_an_item_raises_is_raised_and_the_rest_is_left() -> None:
    began: list[int] = []

    def work(number: int) -> int:
        began.append(number)
        if number == 3:
            raise KeyError(number)
        return number

    with pytest.raises(KeyError):
        list(pool.ordered(work, range(1000), 2))
    assert len(began) < 20
