"""BuildKit's own checks, over every Dockerfile of the pairwise set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.filled import filled
from tests.lint.rendering import render_all

from . import host
from .bases import BaseImage


@pytest.mark.engine
@pytest.mark.parametrize("regions", ["empty", "filled"])
def test_buildkit_s_own_checks_find_nothing(
    regions: str, docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images("debian:trixie-slim")
    # The checks read each base image from the engine, and a stand-in can replace every one.
    names = ("PYTHON_IMAGE", "DEBIAN_IMAGE", "UV_IMAGE", "NODE_IMAGE", "BASE_IMAGE", "UBUNTU_IMAGE")
    bases = [f"--build-arg={name}=debian:trixie-slim" for name in names]
    findings: dict[str, int] = {}
    for rendering in render_all(tmp_path):
        if regions == "filled":
            rendering.dockerfile.write_text(filled(rendering.dockerfile.read_text()))
        context = rendering.root / rendering.answers["context"]
        command = ["buildx", "build", "--check", "--call=check,format=json", f"--file={rendering.dockerfile}"]
        done = docker.run(*command, *bases, str(context), check=False)
        assert done.stdout, done.stderr
        for warning in json.loads(done.stdout).get("warnings") or ():
            findings.setdefault(f"{warning['ruleName']}: {warning['detail']}", rendering.number)
        assert done.returncode == 0 or findings, done.stderr
    assert findings == {}


@pytest.mark.engine
def test_compose_takes_every_compose_file(docker: host.Engine, tmp_path: Path) -> None:
    composed = [rendering for rendering in render_all(tmp_path) if rendering.compose]
    assert composed
    for rendering in composed:
        done = docker.run(
            "compose", "--file", str(rendering.dockerfile.parent / "compose.yaml"), "config", "--quiet", check=False
        )
        assert done.returncode == 0, done.stderr
