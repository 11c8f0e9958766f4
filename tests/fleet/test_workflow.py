"""The reusable workflow and its GitLab version: two shards report the same as one run, and the linters pass.

act runs the jobs on this machine with this checkout's dockertpl. `pipx` and the actions are stand-ins.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fleet.fakes import Bench
from tests.lint import test_workflow as lint
from tests.workflow import harness
from tests.workflow.harness import Run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "fleet.yml"
PIPELINE = ROOT / "ci" / "fleet.gitlab-ci.yml"
GUIDE = ROOT / "docs" / "how-to" / "fleet-in-ci.md"
NAMES = ("api", "billing", "orders", "web")
CALLER = """\
name: images
on: workflow_dispatch
jobs:
  fleet:
    uses: ./.github/workflows/fleet.yml
    with: {inputs}
    secrets:
      token: a-token
"""


@pytest.fixture
def fleet(bench: Bench) -> Path:
    """A list of four repositories on a server. Each has an image of the first version, and one is edited."""
    for name in NAMES:
        root = bench.scaffold(name)
        if name == "billing":
            path = root / "Dockerfile"
            path.write_text(path.read_text().replace("line 3\n", "my line\n"))
            harness.commit(root, "Mine")
        subprocess.run(["git", "clone", "--quiet", "--bare", root, bench.folder / "bare" / f"{name}.git"], check=True)
    (listed := bench.folder / "fleet.txt").write_text(
        "".join(f"file://{bench.folder}/bare/{name}.git\n" for name in NAMES)
    )
    return listed


def _environ(folder: Path) -> dict[str, str]:
    """An environment with this checkout's `dockertpl` and a `pipx` that records its arguments."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    asked = shlex.quote(str(folder / "pipx.txt"))
    scripts = {
        "pipx": f'printf "%s\\n" "$*" >>{asked}',
        "dockertpl": f'exec {shlex.quote(sys.executable)} -c "from dockertpl.cli import main; main()" "$@"',
    }
    for name, script in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "generator"), "HOME": str(folder)}


def _dockertpl(folder: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        ["dockertpl", *words, "--json"], cwd=folder, env=_environ(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _called(bench: Bench, fleet: Path, artifacts: Path, **inputs: Any) -> Run:
    """Run the workflow as a call from the repository that holds the fleet list."""
    root = bench.folder / "caller"
    workflows = root / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copy(WORKFLOW, workflows)
    shutil.copy(fleet, root)
    given = {"where": fleet.name, "to": "v2.0.0", "plan-options": f"--template={bench.template}", **inputs}
    (caller := workflows / "images.yml").write_text(CALLER.format(inputs=json.dumps(given)))
    harness.git(root, "init", "--quiet", f"--initial-branch={harness.BRANCH}")
    harness.git(root, "remote", "add", "origin", f"https://github.com/{harness.OWNER_AND_NAME}")
    harness.commit(root, "First commit")
    artifacts.mkdir()
    return harness.run_file(
        root,
        caller,
        "workflow_dispatch",
        environ=_environ(bench.folder),
        uses=WORKFLOW.read_text(),
        artifacts=artifacts,
    )


def _said(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a report without its duration."""
    return [{key: value for key, value in outcome.items() if key != "seconds"} for outcome in report["outcomes"]]


def _branches(bench: Bench) -> str:
    return "\n".join(
        f"{name} {harness.git(bench.folder / 'bare' / f'{name}.git', 'for-each-ref', 'refs/heads')}" for name in NAMES
    )


def test_two_shards_under_act_merge_to_the_same_report_as_one_run(bench: Bench, fleet: Path) -> None:
    shutil.copytree(bench.folder / "bare", bench.folder / "before")
    artifacts = bench.folder / "artifacts"
    run = _called(bench, fleet, artifacts, shards=2, version="1.2.3")
    journals = sorted(artifacts.glob("fleet-journal-*/*.jsonl"))
    assert len(journals) == 2, run.log
    sharded, pushed = _dockertpl(bench.folder, "fleet", "report", *map(str, journals)), _branches(bench)

    shutil.rmtree(bench.folder / "bare")
    (bench.folder / "before").rename(bench.folder / "bare")
    options = ("--to", "v2.0.0", "--template", str(bench.template), "--output", "one.jsonl")
    _dockertpl(bench.folder, "fleet", "plan", *options, str(fleet))
    _dockertpl(bench.folder, "fleet", "apply", "one.jsonl", "--journal", "one.journal.jsonl")
    whole = _dockertpl(bench.folder, "fleet", "report", "one.journal.jsonl")

    assert len(whole["outcomes"]) == len(NAMES)
    assert _said(sharded) == _said(whole)
    assert sharded["results"] == whole["results"]
    assert pushed == _branches(bench)
    # Each shard had half of the items.
    halves = [_dockertpl(bench.folder, "fleet", "report", str(journal))["outcomes"] for journal in journals]
    assert [len(half) for half in halves] == [2, 2]
    # A conflict needs a manual fix: the shards finish, and the report job fails to say so.
    assert [step.name for step in run.failed()] == ["Report the result of each image"]
    page = (artifacts / "fleet-report" / "fleet.html").read_text()
    assert all(name in page for name in NAMES)
    asked = (bench.folder / "pipx.txt").read_text().splitlines()
    assert sorted(asked) == [
        "install dockertpl==1.2.3",
        *["install dockertpl[github]==1.2.3"] * 3,
    ]
    assert "a-token" not in run.log


def test_a_dry_run_plans_and_pushes_nothing(bench: Bench, fleet: Path) -> None:
    before = _branches(bench)
    run = _called(bench, fleet, bench.folder / "artifacts", **{"dry-run": True})
    assert run.ok, run.log
    assert [path.name for path in (bench.folder / "artifacts").iterdir()] == ["fleet-plan"]
    assert _branches(bench) == before


# --- linters -----------------------------------------------------------------------------------------------------


def _documents(path: Path) -> list[Any]:
    return list(yaml.load_all(path.read_text(), yaml.BaseLoader))


def _examples(kind: str) -> list[str]:
    """The workflows and pipelines in the guide."""
    blocks = [block.split("```")[0] for block in GUIDE.read_text().split("```yaml\n")[1:]]
    return [block for block in blocks if ("jobs:" in block) == (kind == "github")]


def test_the_linters_have_nothing_to_say_of_the_workflow() -> None:
    assert lint._run("jactionlint", "--profile", "correctness", WORKFLOW) == ""
    assert lint._run("zizmor", "--offline", "--quiet", "--persona", "pedantic", "--no-config", WORKFLOW) == ""
    assert lint._run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW) == ""


def test_no_input_becomes_a_part_of_a_script() -> None:
    (document,) = _documents(WORKFLOW)
    scripts = [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    assert len(scripts) == 6
    assert not [script for script in scripts if "${{" in script]


def test_no_job_may_write_with_the_caller_s_own_token() -> None:
    (document,) = _documents(WORKFLOW)
    assert document["permissions"] == {}
    assert {name: job["permissions"] for name, job in document["jobs"].items()} == {
        "plan": {"contents": "read"},
        "apply": {},
        "report": {},
    }


def test_the_pipeline_of_gitlab_s_fits_its_schema(tmp_path: Path) -> None:
    header, jobs = PIPELINE.read_text().split("\n---\n")
    assert set(yaml.safe_load(header)["spec"]["inputs"]) == {
        "where", "to", "shards", "plan-options", "apply-options", "package", "image",
    }  # fmt: skip
    (file := tmp_path / "fleet.gitlab-ci.yml").write_text(jobs)
    assert lint._run("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", file) == ""


def test_shellcheck_has_nothing_to_say_of_the_pipeline_and_no_input_is_in_a_script(tmp_path: Path) -> None:
    _, jobs = _documents(PIPELINE)
    script = "\n".join([*jobs["fleet-plan"]["before_script"], *jobs["fleet-plan"]["script"]])
    assert "$[[" not in script
    (file := tmp_path / "script.sh").write_text(f"# shellcheck shell=sh\nset -e\n{script}\n")
    assert lint._run("shellcheck", "--norc", file) == ""


def test_gitlab_s_script_plans_and_starts_a_job_for_each_shard(bench: Bench, fleet: Path) -> None:
    _, jobs = _documents(PIPELINE)
    variables = {
        "FLEET_WHERE": str(fleet),
        "FLEET_TO": "v2.0.0",
        "FLEET_SHARDS": "2",
        "FLEET_PLAN_OPTIONS": f"--template {bench.template}",
        "FLEET_APPLY_OPTIONS": "--on-conflict skip",
    }
    assert _run_script(bench, jobs["fleet-plan"]["script"], variables) == 0
    children = yaml.safe_load((bench.folder / "fleet-shards.gitlab-ci.yml").read_text())
    template = children[".fleet-apply"]
    for job in (job for name, job in children.items() if name.startswith("fleet-apply ")):
        code = _run_script(bench, template["script"], {**variables, **template["variables"], **job["variables"]})
        assert code in (0, *template["allow_failure"]["exit_codes"])
    assert _run_script(bench, children["fleet-report"]["script"], variables) == 1
    assert all(name in (bench.folder / "fleet.html").read_text() for name in NAMES)


def _run_script(bench: Bench, script: list[str], variables: dict[str, str]) -> int:
    text = "set -e\n" + "\n".join(script)
    environ = {**_environ(bench.folder), **variables}
    return subprocess.run(["sh", "-c", text], cwd=bench.folder, env=environ, check=False, stdout=sys.stderr).returncode


def test_the_guide_s_callers_give_what_the_workflow_takes(tmp_path: Path) -> None:
    (document,) = _documents(WORKFLOW)
    call = document["on"]["workflow_call"]
    shown = _examples("github")
    assert shown
    for number, text in enumerate(shown):
        (file := tmp_path / f"{number}.yml").write_text(text)
        assert lint._run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file) == ""
        for job in yaml.safe_load(text)["jobs"].values():
            assert job["with"].keys() <= call["inputs"].keys()
            assert job.get("secrets", {}).keys() <= call["secrets"].keys()


def test_the_guide_s_pipelines_give_what_gitlab_s_takes() -> None:
    header, _ = _documents(PIPELINE)
    shown = _examples("gitlab")
    assert shown
    for text in shown:
        (included,) = yaml.safe_load(text)["include"]
        assert included["inputs"].keys() <= header["spec"]["inputs"].keys()
