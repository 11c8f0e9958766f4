"""A pool runs tasks in parallel, within limits, and returns results in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress

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
    # The first runs on its own.
    assert len(list(pool.ordered(lambda number: together.wait() if number else 0, range(5), 4))) == 5


@pytest.mark.parametrize("processes", [1, 3])
def test_what_is_computed_comes_in_order_by_however_many_processes(processes: int) -> None:
    seen = list(pool.computed(lambda number: (number, os.getpid()), range(50), processes))
    assert [number for number, _ in seen] == list(range(50))
    assert len({process for _, process in seen}) <= processes + 1
    # This thread runs the first task, which fills the caches for all.
    assert seen[0][1] == os.getpid()


def test_what_is_computed_and_fails_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(pool.computed(lambda number: 1 // (10 - number), range(50), 2))


def test_what_is_computed_and_interrupted_is_an_interrupt() -> None:
    def work(number: int) -> int:
        if number == 10:
            raise KeyboardInterrupt
        return number

    seen: list[int] = []

    def collect() -> None:
        with suppress(KeyboardInterrupt):
            seen.extend(pool.computed(work, range(50), 2))
            seen.append(-1)

    # In a thread, since it could wait forever.
    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert -1 not in seen


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
