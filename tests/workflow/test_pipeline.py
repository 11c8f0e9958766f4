"""Run the script of the rendered GitLab pipeline in a shell, with GitLab's variables."""

from __future__ import annotations

import os
import string
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import harness
from .registry import Registry

pytestmark = pytest.mark.engine

# A runner's engine uses TLS, so the pipeline creates its own builder there. Here, the engine's builder
# exports cache, and the registry asks for no login.
DOCKER = """#!{python}
import os, sys
words = sys.argv[1:]
if words[0] == "login" or words[:2] in (["context", "create"], ["buildx", "create"]):
    sys.exit()
os.execv("{docker}", ["docker", *words])
"""


def _run(root: Path, machine: harness.Machine, tools: Path, **of_run: str) -> subprocess.CompletedProcess[str]:
    """Run the pipeline's only job as a runner does: in one shell that stops at the first failing command."""
    (file,) = (root / ".gitlab").glob("*-image.yml")
    (job,) = yaml.safe_load(file.read_text()).values()
    script = tools / "docker"
    script.write_text(DOCKER.format(python=sys.executable, docker=machine.engine.docker))
    script.chmod(0o755)
    commit = harness.git(root, "rev-parse", "HEAD")
    variables = {
        "CI_COMMIT_SHA": commit,
        "CI_COMMIT_SHORT_SHA": commit[:8],
        "CI_COMMIT_TAG": "",
        "CI_PIPELINE_SOURCE": "push",
        "CI_PROJECT_URL": "https://gitlab.com/acme/orders",
        "REGISTRY_USERNAME": "someone",
        "REGISTRY_PASSWORD": "no-password",
        **of_run,
    }
    for name, value in (job["variables"] | _of_rule(job, of_run)).items():
        variables[name] = string.Template(str(value)).safe_substitute(variables)
    environment = {**machine.engine.environ(), **variables}
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join(job["script"])],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _of_rule(job: Mapping[str, Any], of_run: Mapping[str, str]) -> dict[str, str]:
    rule = next(rule for rule in job["rules"] if "merge_request_event" in rule["if"])
    return dict(rule["variables"]) if of_run.get("CI_PIPELINE_SOURCE") == "merge_request_event" else {}


def test_a_pipeline_pushes_a_branch_and_a_tag_and_of_a_merge_request_nothing(
    machine: harness.Machine, registry: Registry, tmp_path: Path
) -> None:
    machine.engine.forget()
    repository = harness.new_repository()
    root = harness.application(tmp_path / "orders", image=f"{registry.address}/{repository}", answers={"ci": "gitlab"})
    tools = tmp_path / "tools"
    tools.mkdir()

    done = _run(root, machine, tools, CI_COMMIT_REF_NAME="main")
    assert done.returncode == 0, done.stdout[-5000:]
    commit = harness.git(root, "rev-parse", "HEAD")[:8]
    pushed = registry.contents(repository)
    assert pushed.tags.keys() == {"main", f"sha-{commit}", "cache-main-amd64"}
    assert len(pushed.sizes("attestation")) > 1

    machine.engine.forget()
    request = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix/menu"}
    harness.append(root, "CHANGED = True")
    done = _run(root, machine, tools, CI_COMMIT_REF_NAME="fix/menu", **request)
    assert done.returncode == 0, done.stdout[-5000:]
    assert done.stdout.count("CACHED") > 5
    assert registry.contents(repository) == pushed

    done = _run(root, machine, tools, CI_COMMIT_REF_NAME="v1.2.3", CI_COMMIT_TAG="v1.2.3")
    assert done.returncode == 0, done.stdout[-5000:]
    new = registry.contents(repository).since(pushed)
    assert new.tags.keys() == {"1.2.3", "latest", f"sha-{commit}"}

    harness.append(root, "raise SystemExit('the menu is burnt')")
    done = _run(root, machine, tools, CI_COMMIT_REF_NAME="main")
    assert done.returncode == 1
    assert "the menu is burnt" in done.stdout
    assert "never became healthy" in done.stdout
    assert registry.tags(repository).keys() == pushed.tags.keys() | new.tags.keys()
