"""The answer `strip`: libraries lose their symbols. One that would no longer load keeps them and is reported."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.samples import sample

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

PYTHON = "python:3.13-slim-trixie"
#: A `strip` that damages broken.so, and refuses a file that is not a library, as the real one does.
FAKE = """#!/bin/sh
case $2 in
  *broken.so) head -c 4096 "$2" > /tmp/part && cat /tmp/part > "$2" ;;
  *script.so) echo "file format not recognized" >&2; exit 1 ;;
esac
"""


def _script() -> str:
    """Return the program of the stage "strip", as the shell reads it."""
    template = Template(bundled())
    tree = render(template, resolve(template, folder_name="orders", data={"strip": "true"}))
    text = tree["Dockerfile"].content.decode()
    found = re.search(r"AS strip\n.*?RUN <<'EOF'\n(.*?)\nEOF\n", text, re.DOTALL)
    assert found
    return found[1]


def test_a_library_that_no_longer_loads_stays_as_it_was_and_is_named(
    docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images(PYTHON)
    venv, fake = tmp_path / "venv" / "lib", tmp_path / "bin"
    venv.mkdir(parents=True)
    fake.mkdir()
    (fake / "strip").write_text(FAKE)
    (fake / "strip").chmod(0o755)
    (venv / "script.so").write_text("/* GNU ld script */\n")
    script = "\n".join(
        [
            "cp /usr/local/lib/libpython3.13.so.1.0 /opt/venv/lib/broken.so",
            "cp /opt/venv/lib/broken.so /tmp/before",
            _script(),
            "cmp /tmp/before /opt/venv/lib/broken.so",
            "ls /opt/venv/lib",
        ]
    )
    options = ["--volume", f"{venv.parent}:/opt/venv", "--volume", f"{fake}:/fake"]
    options += ["--env", "PATH=/fake:/usr/local/bin:/bin:/usr/bin"]
    done = docker.run("run", "--rm", *options, PYTHON, "bash", "-eo", "pipefail", "-c", script)
    assert "not stripped: /opt/venv/lib/broken.so\n" in done.stdout
    assert "script.so" not in done.stdout.partition("broken.so\n")[0]
    assert done.stdout.split()[-2:] == ["broken.so", "script.so"]


def test_a_stripped_image_serves_and_is_smaller(
    docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images(*service.BASES)
    app_dir = sample.write_sample(tmp_path / "orders", manager="uv", layout="flat", server="uvicorn")
    sizes = {}
    for answer in ("false", "true"):
        shutil.rmtree(app_dir / ".github", ignore_errors=True)
        for name in ("Dockerfile", ".dockerignore", ".copier-answers.yml"):
            (app_dir / name).unlink(missing_ok=True)
        tag = service.verify(app_dir, service.new(app_dir, "-d", f"strip={answer}"))
        sizes[answer] = int(docker.output("image", "inspect", "--format", "{{.Size}}", tag))
        with service.running(tag) as running:
            assert len(running.json("/menu")) == 2
    assert sizes["true"] < sizes["false"]
