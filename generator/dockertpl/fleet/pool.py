"""Does many things at once, a bounded number of them, with results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Iterator[Result]:
    """Yield what a function makes of each item, in the items' order; a few items are ahead, never all.

    The first is alone: it reads the template that all need, which would else be read by every thread.
    Where the caller stops early, or an item raises, what has not begun is left and what has begun is waited for.

    Args:
        function: The function; it is called in other threads.
        items: The items.
        jobs: How many threads.
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
        finally:
            for future in waiting:
                future.cancel()
