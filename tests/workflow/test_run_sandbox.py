"""The rendered workflow of a sandbox never pushes an image with broken runtimes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.engine import bases, service

from . import harness
from .registry import Registry

pytestmark = pytest.mark.engine

ANSWERS = {
    "kind": "sandbox-multi-runtime",
    "distribution": "debian:trixie-slim",
    "tools": "[git]",
    "fonts": "none",
}


def test_a_sandbox_is_pushed_once_its_deep_check_passed(
    machine: harness.Machine, registry: Registry, tmp_path: Path
) -> None:
    bases.ensure(service.SANDBOX_BASES, engine=machine.engine)
    repository = harness.new_repository()
    (root := tmp_path / "sandbox").mkdir()
    subprocess.run(["git", "init", "--quiet", root], check=True)
    (root / "agent.py").write_text("print('at work')\n")
    harness.published(root, image=f"{registry.address}/{repository}", answers=ANSWERS)
    first = harness.push(root, machine)
    assert first.ok, first.log[-5000:]
    assert "browser: a page in " in first.log
    assert registry.platforms(repository, "main").keys() == {"linux/amd64"}

    dockerfile = root / "Dockerfile"
    # Healthy but broken: the browser's file exists but does not work.
    dockerfile.write_text(
        dockerfile.read_text().replace(
            "# tini", "RUN printf '#!/bin/sh\\nexit 1\\n' > /usr/bin/chromium-headless-shell\n\n# tini"
        )
    )
    harness.commit(root, "Break the browser")
    second = harness.push(root, machine)
    assert not second.ok
    assert "The image is healthy but fails healthcheck --deep." in second.log
