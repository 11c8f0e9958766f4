"""Which leftover containers are removed: those of runs that have certainly ended."""

import os
import subprocess
from pathlib import Path

import pytest

from dockertpl.engine import owner
from dockertpl.engine.client import Client


def yes() -> bool:
    return True


def no() -> bool:
    return False


def ended() -> int:
    """Return the unused pid of an ended process."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def test_this_process_is_not_gone_and_one_that_ended_is() -> None:
    assert not owner.is_gone(str(owner.me()), same_machine=yes)
    assert owner.is_gone(str(owner.me()._replace(pid=ended())), same_machine=no)


def test_a_number_that_another_process_has_by_now_is_gone() -> None:
    assert owner.is_gone(str(owner.me()._replace(start="1")), same_machine=no)


def test_a_child_that_lives_is_not_gone_and_a_zombie_is() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        other = owner.me()._replace(pid=process.pid, start=owner._start(process.pid))
        assert other.start and not owner.is_gone(str(other), same_machine=yes)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert owner.is_gone(str(other), same_machine=yes)


def test_before_a_reboot_is_gone_only_where_the_engine_was_restarted_too() -> None:
    before = str(owner.me()._replace(boot="another"))
    assert owner.is_gone(before, same_machine=yes)
    assert not owner.is_gone(before, same_machine=no)
    assert not owner.is_gone(str(owner.me()._replace(boot="another", machine="another")), same_machine=yes)


@pytest.mark.parametrize(
    "text",
    ["", "1", "a/b/c/d/e", "a//c/1/e", "a/b/c/1/e/f", str(owner.me()._replace(space="4026539999", pid=1, start="1"))],
)
def test_containers_with_an_unclear_owner_are_left_alone(text: str) -> None:
    assert not owner.is_gone(text, same_machine=yes)


@pytest.mark.parametrize("unknown", [("m", "", "1"), ("m", "b", "")])
def test_without_machine_data_no_containers_are_removed(
    unknown: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "_here", lambda: unknown)
    assert not owner.is_gone(str(owner.Owner("m", "b", "1", 1, "1")), same_machine=yes)


def test_a_sweep_removes_what_the_dead_left_and_nothing_of_the_living(tmp_path: Path) -> None:
    dead, living = owner.me()._replace(pid=ended()), owner.me()
    for kind in ("container", "network"):
        (tmp_path / kind).write_text(f"{kind}-dead {dead}\n{kind}-living {living}\n{kind}-unknown \n")
    script = tmp_path / "docker"
    script.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n[ "$2" != ls ] || cat "{tmp_path}/$1"\n'
        '[ "$1" != context ] || echo unix:///var/run/docker.sock\n'
    )
    script.chmod(0o755)
    owner.sweep(Client(executable=str(script), engine_version="28", buildx_version="0.29"))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [line for line in calls if " rm " in line] == [
        "container rm --force --volumes container-dead",
        "network rm network-dead",
    ]


def test_where_nothing_is_left_two_questions_are_all(tmp_path: Path) -> None:
    script = tmp_path / "docker"
    script.write_text(f'#!/bin/sh\necho "$1 $2" >> {tmp_path}/calls\n')
    script.chmod(0o755)
    owner.sweep(Client(executable=str(script), engine_version="28", buildx_version="0.29"))
    assert (tmp_path / "calls").read_text().splitlines() == ["container ls", "network ls"]


def test_a_failed_cleanup_does_not_fail_the_run(tmp_path: Path) -> None:
    gone = Client(executable=str(tmp_path / "docker"), engine_version="28", buildx_version="0.29")
    script = Path(gone.executable)
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    with owner.sweeping(gone):
        pass
