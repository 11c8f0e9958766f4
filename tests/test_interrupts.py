"""Interrupts wait during critical sections, and children end."""

import os
import signal
import subprocess

import pytest

from dockertpl.interrupts import deferred, end, terminable


def test_an_interrupt_waits_until_the_block_is_through() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        done.append("all of it")
    assert done


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with terminable(), deferred():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_sigterm_is_as_good_as_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), terminable():
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_child_ends_together_with_its_own_children() -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", "sleep 100 & echo $!; wait"], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout
    process.stdout.readline()
    end(process)
    # The grandchild also holds the pipe, so it ends only when both have exited.
    assert process.stdout.read() == b""
    process.stdout.close()
    assert process.returncode is not None
    end(process)
