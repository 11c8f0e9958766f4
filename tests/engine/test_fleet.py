"""`dockertpl fleet apply --verify` builds and runs an image before it pushes a branch, and pushes no bad one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bench import fleet as made
from tests.samples import sample

from dockertpl import cli
from dockertpl.template.source import PUBLISHED

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

Git = Callable[..., str]


def test_what_runs_gets_a_branch_and_what_does_not_gets_none(
    tmp_path: Path,
    docker: host.Engine,
    base_images: Callable[..., dict[str, BaseImage]],
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base_images(*service.BASES)
    template = made.make_template(tmp_path)
    for name, value in (("COUNT", "1"), ("KEY_0", f"url.{template}.insteadOf"), ("VALUE_0", PUBLISHED)):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    monkeypatch.chdir(tmp_path)
    for name in ("good", "bad"):
        root = sample.write_sample(tmp_path / "fleet" / name, manager="uv", layout="flat", server="uvicorn")
        assert cli._run(["new", str(root), "--defaults", "-d", f"name={name}"]) == 0
        if name == "bad":
            (module,) = root.glob("*/main.py")
            module.write_text("raise SystemExit('it does not start')\n")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "mine")
    assert cli._run(["fleet", "plan", "fleet", "--to", made.NEW]) == 0
    capsys.readouterr()
    code = cli._run(["fleet", "apply", "fleet-plan.jsonl", "--verify", "--json"])
    outcomes = {each["image"]: each for each in json.loads(capsys.readouterr().out)["outcomes"]}
    assert (code, outcomes["good"]["result"], outcomes["bad"]["result"]) == (1, "branch", "failed"), outcomes
    assert git(tmp_path / "fleet" / "good", "branch", "--list", "dockertpl/*") != ""
    assert git(tmp_path / "fleet" / "bad", "branch", "--list", "dockertpl/*") == ""
    for name in outcomes:
        docker.run("image", "rm", "--force", f"dockertpl/{name}:verify", check=False)
