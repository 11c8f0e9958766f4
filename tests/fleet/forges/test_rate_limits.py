from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fleet.forges.clock import Clock

from dockertpl.fleet.forges.rate_limits import Budget, Limit, Limits

PULLS = (Limit(80, 60), Limit(500, 3600))


def _moments(limits: tuple[Limit, ...], count: int, *, share: int = 1, amount: int = 1) -> list[float]:
    clock = Clock(0)
    budget = Budget(limits, timing=clock.timing(share))
    moments = []
    for _ in range(count):
        budget.take(amount)
        moments.append(clock.now)
    return moments


def _most_within(moments: list[float], seconds: float) -> int:
    return max(len([other for other in moments if 0 <= other - moment < seconds]) for moment in moments)


def test_both_windows_are_kept_and_no_time_is_wasted() -> None:
    moments = _moments(PULLS, 1100)
    assert _most_within(moments, 60) == 80
    assert _most_within(moments, 3600) == 500
    assert moments[79] == 0
    assert moments[499] == pytest.approx(6 * 60, abs=1)
    assert moments[500] == pytest.approx(3600, abs=1)
    assert moments[1099] == pytest.approx(2 * 3600 + 60, abs=2)


@pytest.mark.parametrize(("share", "by_minute", "by_hour"), [(2, 40, 250), (8, 10, 62), (100, 1, 5), (256, 1, 1)])
def test_shards_share_the_limits(share: int, by_minute: int, by_hour: int) -> None:
    moments = _moments(PULLS, 3 * by_hour, share=share)
    assert _most_within(moments, 60) == by_minute
    assert _most_within(moments, 3600) == by_hour


def test_points_weigh_what_they_weigh() -> None:
    moments = _moments((Limit(900, 60),), 200, amount=5)
    assert moments[179] == 0
    assert moments[180] == pytest.approx(60, abs=1)


def test_more_than_the_whole_limit_waits_for_all_of_it_and_not_for_ever() -> None:
    assert _moments((Limit(3, 60),), 2, amount=5) == [0, pytest.approx(60, abs=1)]


def test_threads_never_get_more_than_one_would() -> None:
    clock = Clock(0)
    budget = Budget((Limit(10, 60),), timing=clock.timing())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: budget.take(), range(50)))
    assert clock.now >= 4 * 60


def _limits(clock: Clock, concurrent: int = 4, share: int = 1) -> Limits:
    return Limits({"read": (Limit(900, 60),)}, concurrent=concurrent, timing=clock.timing(share))


def test_a_pause_holds_all_threads_and_a_shorter_one_does_not_end_it() -> None:
    clock = Clock(100)
    limits = _limits(clock)
    limits.pause(150)
    limits.pause(120)
    with limits.turn({"read": 1}):
        assert clock.now == 150
    with limits.turn({"read": 1}):
        assert clock.now == 150


@pytest.mark.parametrize(("share", "most"), [(1, 4), (2, 2), (100, 1)])
def test_so_many_at_one_time_and_no_more(share: int, most: int) -> None:
    limits = _limits(Clock(), share=share)
    inside = 0
    highest = 0
    lock = threading.Lock()
    full = threading.Event()

    def hold(_: int) -> None:
        nonlocal inside, highest
        with limits.turn({"read": 1}):
            with lock:
                inside += 1
                highest = max(highest, inside)
                if inside == most:
                    full.set()
            assert full.wait(10)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, range(40)))
    assert highest == most


def test_a_turn_that_ends_in_an_error_is_given_back() -> None:
    limits = _limits(Clock(), concurrent=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), limits.turn({"read": 1}):
            raise ValueError("x")
