"""The output of `dockertpl verify` on a terminal and elsewhere, with a scripted engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import scripted
from tests.commands import verify_recording as recording
from tests.wizard.terminal import INTERRUPT, Terminal, dockertpl

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", recording.RUNS)
def test_a_run_is_seen_as_it_was_recorded(name: str, tmp_path: Path) -> None:
    """`python -m tests.commands.verify_recording` records it again."""
    screens = recording.record(name, tmp_path / name)
    assert recording.as_text(screens) == (recording.SCREENS / f"verify-{name}.txt").read_text()
    assert max(len(line) for line in screens[-1].text.splitlines()) <= 80
    headline = next(row for row in reversed(screens[-1].cells) if row[0].data.strip())
    assert headline[0].fg == ("green" if name == "success" else "red")


def environment(folder: Path, scenario: dict[str, object], **more: str) -> dict[str, str]:
    client = scripted.docker(folder / "engine", scenario, folder / "cache")
    return {"DOCKERTPL_DOCKER": client.executable, "XDG_CACHE_HOME": str(folder / "cache"), "CI": "", **more}


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"CI": "true"}])
def test_where_no_line_can_live_each_phase_is_a_line(more: dict[str, str], tmp_path: Path) -> None:
    root = scripted.shop(tmp_path / "shop")
    with Terminal(dockertpl("verify"), root, environment(tmp_path, {}, **more), rows=40) as terminal:
        assert terminal.end() == 0
        assert b"\x1b[K" not in terminal.raw
        assert terminal.transcript[:2] == ["Building Dockerfile …", "Running it as production would …"]


def test_without_a_terminal_there_are_no_colors_and_no_redrawing(tmp_path: Path) -> None:
    root = scripted.shop(tmp_path / "shop")
    given = {**os.environ, **environment(tmp_path, {})}
    words = [sys.executable, *dockertpl("verify", str(root))]
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "\x1b" not in done.stderr and "\r" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("healthy in ")


def test_no_color_is_heeded(tmp_path: Path) -> None:
    root = scripted.shop(tmp_path / "shop")
    given = environment(tmp_path, {}, NO_COLOR="1")
    with Terminal(dockertpl("verify"), root, given, rows=40) as terminal:
        assert terminal.end() == 0
        assert b"\x1b[3" not in terminal.raw


def test_what_a_log_could_do_to_a_terminal_is_spelled_out(tmp_path: Path) -> None:
    root = scripted.shop(tmp_path / "shop")
    given = environment(tmp_path, {"log": ["evil \x1b]0;title\x07\x9b2J line"], "deaf": True})
    with Terminal(dockertpl("verify", "--timeout", "2"), root, given, rows=40) as terminal:
        terminal.see("starting")
        assert terminal.end() == 1
        assert b"\x1b]0;" not in terminal.raw and "\x9b".encode() not in terminal.raw


def test_ctrl_c_takes_the_line_away_and_ends_with_130(tmp_path: Path) -> None:
    root = scripted.shop(tmp_path / "shop")
    with Terminal(dockertpl("verify"), root, environment(tmp_path, {"deaf": True}), rows=40) as terminal:
        terminal.see("connection refused")
        terminal.press(INTERRUPT)
        assert terminal.end() == 130
        assert "starting" not in terminal.screen


def test_run_prints_the_url_alone_and_ctrl_c_stops_the_container(tmp_path: Path) -> None:
    root = scripted.shop(tmp_path / "shop")
    given = environment(tmp_path, {"log": ["hello from the application"]})
    with Terminal(dockertpl("run"), root, given) as terminal:
        terminal.see("http://localhost:", "Press Ctrl-C to stop it.", "hello from the application")
        terminal.press(INTERRUPT)
        assert terminal.end() == 0
        assert "Stopping it" in terminal.screen
    assert (tmp_path / "engine" / "ended").exists() and not (tmp_path / "engine" / "pid").exists()


def test_a_container_that_is_kept_is_not_removed_good_or_bad(tmp_path: Path) -> None:
    for number, scenario in enumerate(({}, {"answers": {"/menu": [500, ""]}})):
        folder = tmp_path / str(number)
        root = scripted.shop(folder / "shop")
        words = [sys.executable, *dockertpl("verify", str(root), "--keep")]
        given = {**os.environ, **environment(folder, dict(scenario))}
        done = subprocess.run(words, env=given, capture_output=True, text=True, check=False)
        assert done.returncode == number
        try:
            assert not (folder / "engine" / "ended").exists()
            assert "http://localhost:" in done.stderr and "docker rm -f -v dockertpl-verify-shop-" in done.stderr
        finally:
            subprocess.run([given["DOCKERTPL_DOCKER"], "container", "rm", "x"], check=True)
