"""Promises of `dockertpl pin`, with a real registry and a real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import host

pytestmark = pytest.mark.engine

PYTHON = "library/python:3.13-slim-trixie"
PLATFORMS = ["linux/amd64", "linux/arm64"]
DOCKERFILE = "FROM scratch\nARG TARGETARCH\nLABEL architecture=$TARGETARCH\nCOPY content /\n"

Push = Callable[..., str]


@pytest.fixture
def mirror(registry: str) -> str:
    """A registry namespace that no other run uses."""
    return f"{registry}/test-pin-{os.getpid()}"


@pytest.fixture
def push(docker: host.Engine, mirror: str, tmp_path: Path) -> Iterator[Push]:
    """`push(NAME, CONTENT, PLATFORM, …)` pushes an image with one file, and returns the engine's digest."""
    pushed: list[tuple[str, str]] = []

    def push(name: str, content: str, *platforms: str) -> str:
        context = tmp_path / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(DOCKERFILE)
        (context / "content").write_text(content)
        image = f"{mirror}/{name}"
        attested = ("--provenance=true",) if len(platforms) > 1 else ("--provenance=false",)
        docker.run(
            "buildx", "build", *attested, "--platform", ",".join(platforms), "--push", "--tag", image, str(context)
        )
        seen = json.loads(docker.output("buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", image))
        digest: str = seen["digest"]
        pushed.append((image, digest))
        return digest

    yield push
    for image, digest in pushed:
        docker.run("image", "rm", image, check=False)
        address, _, repository = image.rpartition(":")[0].partition("/")
        url = f"http://{address}/v2/{repository}/manifests/{digest}"
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            urllib.request.Request(url, method="DELETE")
        ):
            pass


def _dockertpl(folder: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "dockertpl", *arguments, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_pin_is_the_index_that_the_engine_sees_and_builds_from(
    docker: host.Engine, mirror: str, push: Push, tmp_path: Path
) -> None:
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    _dockertpl(root, "new", "--defaults", "--no-detect")
    uv = next(line for line in (root / "Dockerfile").read_text().splitlines() if line.startswith("ARG UV_IMAGE="))
    uv = uv.partition("=")[2]
    # One with attestations, which are not platforms; one with a single platform and without an index.
    index = push(PYTHON, "one", *PLATFORMS)
    single = push(uv.removeprefix("ghcr.io/"), "uv", "linux/arm64")

    mirrors = ("--registry-mirror", f"docker.io={mirror}", "--registry-mirror", f"ghcr.io={mirror}")
    done = _dockertpl(root, "pin", *mirrors)
    python = PYTHON.removeprefix("library/")
    assert {
        entry["image"]: (entry["new"], entry["platforms"], entry["multi_platform"]) for entry in done["pinned"]
    } == {
        python: (index, PLATFORMS, True),
        uv: (single, ["linux/arm64"], False),
    }
    assert done["warnings"] == [f"{uv} is not multi-platform: its tag is only for linux/arm64."]
    assert yaml.safe_load((root / ".copier-answers.yml").read_bytes())["digests"] == {python: index, uv: single}

    # The tag moves, but both platforms of the pinned image are still available.
    moved = push(PYTHON, "two", *PLATFORMS)
    assert moved != index
    pinned = next(
        line for line in (root / "Dockerfile").read_text().splitlines() if line.startswith("ARG PYTHON_IMAGE=")
    )
    reference = f"{mirror}/library/{pinned.partition('=')[2]}"
    (tmp_path / "Dockerfile").write_text(f"FROM {reference}\n")
    for platform in PLATFORMS:
        out = tmp_path / platform
        docker.run(
            "build", "--platform", platform, "--output", str(out), "--file", str(tmp_path / "Dockerfile"), str(root)
        )
        assert (out / "content").read_text() == "one"
    assert _dockertpl(root, "pin", *mirrors)["pinned"][0]["old"] == index
    assert f"{python}@{moved}" in (root / "Dockerfile").read_text()
    assert _dockertpl(root, "pin", *mirrors)["written"] == []
