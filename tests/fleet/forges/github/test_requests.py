from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from github import GithubException
from tests.fleet.forges.clock import Clock

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.github.requests import CREATE, READ, Sender
from dockertpl.fleet.forges.github.settings import Settings
from dockertpl.fleet.forges.retry import MaybeDoneError
from dockertpl.fleet.forges.timing import Timing


class _Call:
    """Raise the given errors in order, then return."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def _error(status: int, **headers: str) -> GithubException:
    return GithubException(status, {"message": "x"}, {name.replace("_", "-"): value for name, value in headers.items()})


def _send(clock: Clock, call: _Call, *, repeatable: bool = True) -> str:
    sender = Sender(Settings(), timing=clock.timing())
    return sender.send(call, cost=READ, doing="look", wanted="x", repeatable=repeatable)


def test_pauses_that_github_gives_no_time_for_get_longer(clock: Clock) -> None:
    assert _send(clock, _Call(_error(429), _error(429), _error(429))) == "done"
    assert clock.waits == [60, 120, 240]


def test_pauses_end_with_an_error_after_an_hour_and_five_minutes(clock: Clock) -> None:
    call = _Call(*[_error(429, retry_after="1000")] * 9)
    with pytest.raises(ForgeError, match="the rate limit of"):
        _send(clock, call)
    assert (call.times, sum(clock.waits)) == (4, 3000)


def test_what_is_not_repeatable_is_not_repeated_but_for_a_limit_which_did_nothing(clock: Clock) -> None:
    call = _Call(_error(429), _error(503, retry_after="9"))
    with pytest.raises(MaybeDoneError) as caught:
        _send(clock, call, repeatable=False)
    assert (call.times, caught.value.wait, clock.waits) == (2, 9, [60])


def test_our_own_errors_pass_through_unchanged(clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError):
        _send(clock, _Call(ZeroDivisionError()))


def test_a_wait_can_be_ended_by_what_the_sleep_raises(clock: Clock) -> None:
    def stopped(seconds: float) -> None:
        raise KeyboardInterrupt

    sender = Sender(Settings(), timing=Timing(clock=clock, sleep=stopped))
    with pytest.raises(KeyboardInterrupt):
        sender.send(_Call(_error(502)), cost=READ, doing="look", wanted="x")


@pytest.mark.parametrize(("share", "seconds"), [(1, 60), (2, 120), (8, 3720)])
def test_only_what_makes_something_waits_for_the_eighty_a_minute(clock: Clock, share: int, seconds: float) -> None:
    sender = Sender(Settings(), timing=clock.timing(share))
    begun = clock.now
    for _ in range(81):
        sender.send(_Call(), cost=READ, doing="look", wanted="x")
    assert clock.now == begun
    for _ in range(81):
        sender.send(_Call(), cost=CREATE, doing="make", wanted="x")
    # Each of eight shards may send 10 a minute and 62 an hour.
    assert clock.now - begun == pytest.approx(seconds, abs=1)


def test_a_hundred_at_one_time_and_no_more(clock: Clock) -> None:
    sender = Sender(Settings(), timing=clock.timing(20))
    lock, full = threading.Lock(), threading.Event()
    inside, most = 0, 0

    def hold() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if inside == 5:
                full.set()
        assert full.wait(10)
        with lock:
            inside -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: sender.send(hold, cost=READ, doing="look", wanted="x"), range(40)))
    assert most == 5
