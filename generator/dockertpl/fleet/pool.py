"""Run many jobs at once, a limited number of them, with results in order.

Use threads for jobs that wait for a network or write a journal, and processes for computing.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int, *, stop: Callable[[], None] | None = None
) -> Generator[Result]:
    """Yield a function's result for each item in order. Only a few items are read ahead.

    The first item runs before all others: it reads the template for them. If the caller stops early or an item raises,
    no further item begins. Items that have begun are finished.

    Args:
        function: The function. It runs in other threads.
        items: The items.
        jobs: The number of threads.
        stop: Called on an interrupt, to end threads that wait.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for number, item in enumerate(items):
                waiting.append(pool.submit(function, item))
                if number == 0 or len(waiting) >= 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except KeyboardInterrupt:
            if stop:
                stop()
            raise
        finally:
            for future in waiting:
                future.cancel()


def computed(function: Callable[[Item], Result], items: Sequence[Item], processes: int) -> Iterator[Result]:
    """Yield a function's result for each item in order, computed by forks of this process.

    They end with this process, even if it is killed. The first item runs here, to read the template only once.

    Args:
        function: The function. Its results must be picklable.
        items: The items.
        processes: The number of processes.

    Raises:
        KeyboardInterrupt: An item was interrupted.
    """
    if processes < 2 or len(items) < 2 or sys.platform != "linux":
        yield from map(function, items)
        return
    yield function(items[0])
    # The forks inherit both, so neither has to be pickled.
    _inherited[:] = [function, items]
    with multiprocessing.get_context("fork").Pool(processes, initializer=_quiet) as pool:
        _inherited.clear()
        try:
            yield from pool.imap(_numbered, range(1, len(items)), chunksize=4)
        except _InterruptedItem:
            raise KeyboardInterrupt from None


_inherited: list[Any] = []


class _InterruptedItem(Exception):  # noqa: N818 - carries an interrupt to the parent process
    pass


def _numbered(number: int) -> Any:
    function, items = _inherited
    try:
        return function(items[number])
    except KeyboardInterrupt:
        # An interrupt would end this process without a result, and the parent would wait forever.
        raise _InterruptedItem from None


def _quiet() -> None:
    """Ignore SIGINT in workers: the parent handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The parent's handler is not for workers.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
