"""Does many things at once, a bounded number of them, with results in order.

By threads where one waits for a network or must go on with a journal; by processes where it is all computing.
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
    """Yield what a function makes of each item, in the items' order; a few items are ahead, never all.

    The first is alone: it reads the template that all need, which would else be read by every thread.
    Where the caller stops early, or an item raises, what has not begun is left and what has begun is waited for.

    Args:
        function: The function; it is called in other threads.
        items: The items.
        jobs: How many threads.
        stop: Called on an interrupt, so that threads which wait end soon.
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
    """Yield what a function makes of each item, in the items' order, by processes that begin as this one is now.

    They end when this one does, even by a kill. The first item is done here: what it reads for all is read once.

    Args:
        function: The function; its results can be pickled.
        items: The items.
        processes: How many processes.

    Raises:
        KeyboardInterrupt: An item was interrupted, as one is whose git was.
    """
    if processes < 2 or len(items) < 2 or sys.platform != "linux":
        yield from map(function, items)
        return
    yield function(items[0])
    # They have both as they begin, so that neither has to be pickled.
    _inherited[:] = [function, items]
    with multiprocessing.get_context("fork").Pool(processes, initializer=_quiet) as pool:
        _inherited.clear()
        try:
            yield from pool.imap(_numbered, range(1, len(items)), chunksize=4)
        except _InterruptedItem:
            raise KeyboardInterrupt from None


_inherited: list[Any] = []


class _InterruptedItem(Exception):  # noqa: N818 - an interrupt on its way to the process that waits for the item
    pass


def _numbered(number: int) -> Any:
    function, items = _inherited
    try:
        return function(items[number])
    except KeyboardInterrupt:
        # It would end this process without an answer, for which the other one would wait for ever.
        raise _InterruptedItem from None


def _quiet() -> None:
    """Leave interrupts to the process that all began as, which ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # It may have a handler of its own, which is not meant for them.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
