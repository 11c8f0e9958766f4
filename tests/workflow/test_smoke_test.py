"""The workflow's smoke test fails on broken images, and its log says why."""

from __future__ import annotations

import re
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
SLEEP = "exec python -c 'import signal; signal.signal(15, lambda *_: exit()); signal.pause()'"
WARN = f'CMD ["sh", "-c", "echo hi > /menu; {SLEEP}"]'

IMAGES = {
    "healthy": ((USER, WELL, SERVE), 0, ""),
    "root": ((WELL, SERVE), 1, "::error::The image runs as root."),
    "unhealthy": (
        (USER, f"""{PROBE} ["python", "-c", "raise SystemExit('no menu today')"]""", SERVE),
        1,
        "no menu today\n\n::error::The image never became healthy (running, unhealthy).",
    ),
    "ends": (
        (USER, WELL, """CMD ["python", "-c", "raise SystemExit('the kitchen is closed')"]"""),
        1,
        "the kitchen is closed",
    ),
    "deaf": ((USER, WELL, 'CMD ["sleep", "300"]'), 1, "::error::The image ignores SIGTERM."),
    "warns": (
        (USER, WELL, WARN),
        1,
        "::error::The image is healthy, but its log says: sh: 1: cannot create /menu: Read-only file system",
    ),
    # A warning is not a failure: the test continues without it.
    "warned": ((USER, WELL, f'CMD ["sh", "-c", "echo WARNING: cache: Permission denied; {SLEEP}"]'), 0, ""),
    "writes": ((USER, WELL, 'CMD ["python", "-c", "open(\'/menu\', \'w\')"]'), 1, "Read-only file system: '/menu'"),
}


# Answers 404 to everything, and 503 to /menu.
KITCHEN = """\
import http.server, signal
signal.signal(signal.SIGTERM, lambda *_: exit())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(503 if self.path == "/menu" else 404)
http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""


def _script(shell: str, **answers: Any) -> str:
    template = Template(bundled())
    data = {"kind": "python-fastapi", "ci": "gitlab" if shell == "sh" else "github", **answers}
    if shell == "sh":
        data["registry"] = "gitlab"
    tree = render(template, resolve(template, folder_name="orders", data=data))
    if shell == "sh":
        text = tree[".gitlab/orders-image.yml"].content.decode()
        return re.search(r"^ *\(\n(.+?)\n *\)\n", text, re.DOTALL | re.MULTILINE)[1]  # type: ignore[index]
    text = tree[".github/workflows/orders-image.yml"].content.decode()
    (step,) = filter(promises.is_smoke_test, harness.parse(text)["jobs"]["image"]["steps"])
    return str(step["run"])


def _try(script: str, shell: str, tag: str, docker: host.Engine, summary: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*shell.split(), "-e", "-c", script.replace("orders:test", tag)],
        env={**docker.environ(), "GITHUB_STEP_SUMMARY": str(summary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


# GitHub runs it with bash, GitLab with sh. A step that names its shell also gets pipefail.
@pytest.mark.parametrize(
    "shell", ["bash", *(pytest.param(other, marks=pytest.mark.full) for other in ("bash -o pipefail", "sh"))]
)
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
        done = _try(_script(shell), shell, tag, docker, tmp_path / "summary.md")
        wanted = said.replace("::error::", "") if shell == "sh" else said
        assert (done.returncode, wanted in done.stdout) == (code, True), done.stdout
        assert docker.output("ps", "--all", "--quiet", f"--filter=ancestor={tag}") == ""
        if shell != "sh":
            # The run's page shows the duration and the reason for the failure.
            summary = (tmp_path / "summary.md").read_text()
            assert summary.startswith("Container: ")
            assert said.partition("::error::")[2] in summary
            assert ("###" in summary) == bool(code)
    finally:
        docker.run("image", "rm", "--force", tag)


def test_paths_of_an_answer_are_requested_and_failures_are_reported(
    docker: host.Engine, base_images: Callable[..., Any], tmp_path: Path
) -> None:
    base_images(BASE)
    tag = f"dockertpl-test:smoke-paths-{uuid.uuid4().hex[:8]}"
    (tmp_path / "kitchen.py").write_text(KITCHEN)
    lines = [f"FROM {BASE}", "COPY kitchen.py /", USER, WELL, "EXPOSE 8000", 'CMD ["python", "/kitchen.py"]', ""]
    (tmp_path / "Dockerfile").write_text("\n".join(lines))
    docker.run("build", "--quiet", "--provenance=false", f"--tag={tag}", str(tmp_path))
    try:
        for paths, code in ((["/docs", "/items?limit=1&page=2"], 0), (["/docs", "/menu"], 1)):
            summary = tmp_path / f"{code}.md"
            done = _try(_script("bash", smoke_test_paths=paths), "bash", tag, docker, summary)
            assert done.returncode == code, done.stdout
            told = [line for line in summary.read_text().splitlines() if line.startswith("- /")]
            assert told == [f"- {path}: {503 if path == '/menu' else 404}" for path in ("/", *paths)]
            assert ("### /menu answers with status 503" in summary.read_text()) == bool(code)
    finally:
        docker.run("image", "rm", "--force", tag)
