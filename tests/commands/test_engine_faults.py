"""An engine that dies, hangs, lies or is full: one message, exit code 3, and no endless wait."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests import scripted

from dockertpl import cli
from dockertpl.engine import client, layers, saved, waiting
from dockertpl.errors import MachineError

pytestmark = pytest.mark.slow

#: The ways to fail, by the command in which the engine fails.
FAULTS = {
    "version": ["die", "hang", "garbage", "truncated"],
    "buildx build": ["die", "full"],
    "image tag": ["die", "hang", "full"],
    "image inspect": ["die", "hang", "garbage", "truncated", "full"],
    "image history": ["die", "hang", "full"],
    "container create": ["die", "hang", "full"],
    "container start": ["die", "hang", "full"],
    "container inspect": ["die", "hang", "garbage", "truncated", "full"],
    "container logs": ["die", "full"],
    "container stop": ["die", "full"],
}


@pytest.mark.parametrize(("command", "how"), [(command, how) for command, ways in FAULTS.items() for how in ways])
def test_a_failing_engine_is_reported_once_and_quickly(
    command: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = scripted.shop(tmp_path / "shop", routes=())
    fake = scripted.docker(tmp_path / "engine", {"faults": {command: how}}, tmp_path / "cache")
    monkeypatch.setenv("DOCKERTPL_DOCKER", fake.executable)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DOCKERTPL_DEBUG", raising=False)
    # Even on a busy machine, a command that does not hang has ended by then.
    monkeypatch.setattr(client, "_SECONDS", 2.0 if how == "hang" else 30.0)
    monkeypatch.setattr(waiting, "_SETTLES", 0.1)
    began = time.monotonic()
    assert cli._run(["verify", str(root)]) == 3
    assert time.monotonic() - began < 30
    said = capsys.readouterr().err
    assert said.count("dockertpl: ") == 1
    assert "Traceback" not in said and "report it" not in said
    if how == "full" and command != "container logs":
        assert "disk is full" in said
    if how == "hang":
        assert "did not answer" in said


def test_an_image_that_is_saved_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    monkeypatch.setattr(saved, "SAVE_SECONDS", 0.5)
    fake = scripted.docker(tmp_path / "engine", {"faults": {"image save": "hang"}}, tmp_path / "cache")
    with pytest.raises(MachineError, match="cannot save"):
        layers.layers(fake, "sha256:image")


@pytest.mark.parametrize("how", ["garbage", "truncated"])
def test_an_image_that_is_saved_in_pieces_is_the_engines_fault(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    fake = scripted.docker(tmp_path / "engine", {"faults": {"image save": how}}, tmp_path / "cache")
    with pytest.raises(MachineError):
        layers.layers(fake, "sha256:image")
