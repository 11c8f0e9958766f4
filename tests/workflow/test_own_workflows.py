"""The workflows of this repository pass the linters, and `ci` works under act.

`make` is a stand-in that records its arguments. `.ci/run` really runs the same targets.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.lint import test_workflow as lint

from . import harness

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI = ROOT / ".github" / "workflows" / "ci.yml"
USES = re.compile(r"uses: (\S+)@([0-9a-f]{40}) # (v[\d.]+)")


def _jobs() -> dict[str, Any]:
    jobs: dict[str, Any] = harness.parse(CI.read_text())["jobs"]
    return jobs


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_the_linters_have_nothing_to_say(file: Path) -> None:
    assert lint._run("jactionlint", "--profile", "correctness", file) == ""
    assert lint._run("zizmor", "--offline", "--quiet", "--persona", "pedantic", "--no-config", file) == ""
    assert lint._run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file) == ""


def test_dependabot_s_settings_are_valid_and_wait_for_a_release_to_settle() -> None:
    file = ROOT / ".github" / "dependabot.yml"
    assert lint._run("check-jsonschema", "--builtin-schema", "vendor.dependabot", file) == ""
    assert lint._run("zizmor", "--offline", "--quiet", "--persona", "pedantic", "--no-config", file) == ""


@pytest.mark.parametrize(
    ("name", "schema"), [("bug", "issue-forms"), ("feature", "issue-forms"), ("config", "issue-config")]
)
def test_an_issue_form_is_valid(name: str, schema: str) -> None:
    file = ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml"
    assert lint._run("check-jsonschema", "--builtin-schema", f"vendor.github-{schema}", file) == ""


def test_a_hook_runs_only_what_the_lock_has() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"].split()[0] for hook in repository["hooks"]] == [".venv/bin/ruff"] * 2 + [".venv/bin/mypy"]


def test_actions_are_pinned_as_the_rendered_workflows_pin_them() -> None:
    pins = yaml.safe_load((ROOT / "templates" / "ci" / "actions.yml").read_text())
    used = {match.groups() for file in WORKFLOWS for match in USES.finditer(file.read_text())}
    assert used
    assert used == {(name, pins[name]["commit"], pins[name]["version"]) for name, _, _ in used}
    texts = "\n".join(file.read_text() for file in WORKFLOWS)
    assert len(re.findall(r"uses: (?!\./)", texts)) == len(USES.findall(texts))


def test_no_job_may_write() -> None:
    assert harness.parse(CI.read_text())["permissions"] == {}
    assert {name: job["permissions"] for name, job in _jobs().items()} == {
        name: {"contents": "read"} for name in _jobs()
    }


def test_every_python_that_the_package_claims_is_tested() -> None:
    claimed = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert _jobs()["test"]["strategy"]["matrix"]["python"] == claimed


def test_ci_runs_lint_the_tests_and_the_engine_s_tests_under_act(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("requirements-dev.txt", "Makefile"):
        shutil.copy(ROOT / name, root)
    harness.git(root, "init", "--quiet", f"--initial-branch={harness.BRANCH}")
    harness.git(root, "remote", "add", "origin", f"https://github.com/{harness.OWNER_AND_NAME}")
    harness.commit(root, "First commit")
    run = harness.run_file(root, CI, "push", environ=_environ(tmp_path), uses=CI.read_text())
    assert run.ok, run.log
    assert set(run.jobs) == {"lint", "test", "engine"}
    asked = sorted((tmp_path / "make.txt").read_text().splitlines())
    pythons = _jobs()["test"]["strategy"]["matrix"]["python"]
    assert asked == sorted(
        [" lint", *(f"/pythons/{python} test" for python in pythons), " test-engine", " wheel-check"]
    )
    keys = {inputs["key"] for inputs in run.recorded("actions/cache")}
    assert len(keys) == len(pythons) + 2


def _environ(folder: Path) -> dict[str, str]:
    """Return an environment in which `make` and `sudo` record their commands, and `pipx run uv` finds any Python."""
    tools = folder / "tools"
    tools.mkdir()
    scripts = {
        "make": f'printf "%s %s\\n" "$PYTHON" "$*" >> {shlex.quote(str(folder / "make.txt"))}',
        "sudo": 'shift; exec "$@"',
        "pipx": '[ "$3 $4" = "python find" ] && echo "/pythons/$5"',
    }
    for name, script in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    return {**kept, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
