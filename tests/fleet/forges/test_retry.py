from __future__ import annotations

import pytest
from tests.fleet.forges.clock import Clock

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.rate_limits import Limits
from dockertpl.fleet.forges.retry import WAITS, Fault, MaybeDoneError, Tries


class _Error(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


class _Calls:
    """Raise the given errors in order, then return."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        if self.faults:
            raise _Error(self.faults.pop(0))
        return "done"


def _tries(clock: Clock) -> Tries:
    limits = Limits({}, concurrent=4, timing=clock.timing())
    return Tries(
        limits,
        judge=lambda error, now: error.fault if isinstance(error, _Error) else Fault(kind="final"),
        errors=(_Error,),
        timing=clock.timing(),
    )


def _send(calls: _Calls, clock: Clock, *, repeatable: bool = True) -> str:
    return _tries(clock).send(
        calls,
        cost={},
        explain=lambda error: ForgeError("no"),
        too_long=lambda wait: ForgeError(f"not for {wait} seconds"),
        repeatable=repeatable,
    )


def test_what_passes_is_tried_again_after_longer_and_longer_waits() -> None:
    calls, clock = _Calls(*[Fault(kind="passing")] * 3), Clock()
    assert _send(calls, clock) == "done"
    assert clock.waits == list(WAITS[:3])


def test_the_tries_have_an_end() -> None:
    calls = _Calls(*[Fault(kind="passing")] * 99)
    with pytest.raises(ForgeError):
        _send(calls, Clock())
    assert calls.count == len(WAITS) + 1


def test_a_limit_is_waited_for_as_long_as_the_forge_says_also_for_what_is_not_repeatable() -> None:
    calls, clock = _Calls(Fault(kind="limited", wait=17)), Clock()
    assert _send(calls, clock, repeatable=False) == "done"
    assert clock.waits == [17]


def test_a_longer_pause_than_a_run_should_make_is_an_error_at_once() -> None:
    clock = Clock()
    with pytest.raises(ForgeError, match="not for 86400 seconds"):
        _send(_Calls(Fault(kind="limited", wait=86400)), clock)
    assert clock.waits == []


def test_what_may_have_been_done_is_not_done_again() -> None:
    calls = _Calls(Fault(kind="passing", wait=9))
    with pytest.raises(MaybeDoneError) as caught:
        _send(calls, Clock(), repeatable=False)
    assert calls.count == 1
    assert caught.value.wait == 9


def test_what_is_final_is_not_tried_again() -> None:
    calls = _Calls(Fault(kind="final"))
    with pytest.raises(ForgeError):
        _send(calls, Clock())
    assert calls.count == 1


@pytest.mark.parametrize(("there_is_one", "count"), [(True, 2), (False, 1)])
def test_a_token_that_is_not_taken_is_renewed_once(there_is_one: bool, count: int) -> None:
    calls = _Calls(*[Fault(kind="login")] * 9)
    with pytest.raises(ForgeError):
        _tries(Clock()).send(
            calls,
            cost={},
            explain=lambda error: ForgeError("no"),
            too_long=lambda wait: ForgeError("no"),
            renew=lambda: there_is_one,
        )
    assert calls.count == count
