"""The workflow's smoke test, run on images that are not what they should be: it fails, and its log says why."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine import host

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

from . import harness, promises

pytestmark = pytest.mark.engine

BASE = "python:3.13-slim-trixie"
PROBE = "HEALTHCHECK --interval=1s --retries=1 --start-period=1s CMD"
WELL = f'{PROBE} ["true"]'
SERVE = 'CMD ["python", "-c", "import signal; signal.signal(signal.SIGTERM, lambda *_: exit()); signal.pause()"]'
USER = "USER 10001:10001"

IMAGES = {
    "healthy": ((USER, WELL, SERVE), 0, ""),
    "root": ((WELL, SERVE), 1, "::error::The image runs as root."),
    "unhealthy": (
        (USER, f"""{PROBE} ["python", "-c", "raise SystemExit('no menu today')"]""", SERVE),
        1,
        "no menu today\n\n::error::The image never became healthy (running, unhealthy); "
        "see logs and probe output above.",
    ),
    "ends": (
        (USER, WELL, """CMD ["python", "-c", "raise SystemExit('the kitchen is closed')"]"""),
        1,
        "the kitchen is closed",
    ),
    "deaf": ((USER, WELL, 'CMD ["sleep", "300"]'), 1, "::error::The image ignores SIGTERM."),
    "writes": ((USER, WELL, 'CMD ["python", "-c", "open(\'/menu\', \'w\')"]'), 1, "Read-only file system: '/menu'"),
}


def _script() -> str:
    template = Template(bundled())
    tree = render(template, resolve(template, folder_name="orders", data={"kind": "python-fastapi"}))
    text = tree[".github/workflows/orders-image.yml"].content.decode()
    (step,) = filter(promises.is_smoke_test, harness.parse(text)["jobs"]["image"]["steps"])
    return str(step["run"])


# GitHub runs it by bash, GitLab the same lines by sh.
@pytest.mark.parametrize("shell", ["bash", pytest.param("sh", marks=pytest.mark.full)])
@pytest.mark.parametrize("name", IMAGES)
def test_an_image_passes_only_as_it_should_be(
    name: str, shell: str, docker: host.Engine, base_images: Callable[..., Any], tmp_path: Path
) -> None:
    base_images(BASE)
    lines, code, said = IMAGES[name]
    tag = f"dockertpl-test:smoke-{name}-{uuid.uuid4().hex[:8]}"
    (tmp_path / "Dockerfile").write_text("\n".join([f"FROM {BASE}", *lines, ""]))
    docker.run("build", "--quiet", "--provenance=false", f"--tag={tag}", str(tmp_path))
    try:
        script = _script().replace("orders:test", tag)
        done = subprocess.run(
            [shell, "-e", "-c", script],
            env=docker.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode, said in done.stdout) == (code, True), done.stdout
        assert docker.output("ps", "--all", "--quiet", f"--filter=ancestor={tag}") == ""
    finally:
        docker.run("image", "rm", "--force", tag)
