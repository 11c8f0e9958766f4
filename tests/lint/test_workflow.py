"""Every workflow and pipeline of the pairwise set passes the linters, and the files beside them are correct.

The promises of each workflow are in tests/workflow/promises.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.lint.rendering import Rendering

from dockertpl.merge import regions
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

pytestmark = pytest.mark.slow

SCRIPTS = Path(sysconfig.get_path("scripts"))
USES = re.compile(r"uses: (?P<action>[\w.-]+/[\w.-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+")


@pytest.fixture(scope="module")
def files(renderings: list[Rendering], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each distinct workflow and pipeline of the set: its text, and a repository folder with only this file."""
    result: dict[str, Path] = {}
    for rendering in renderings:
        for path, text in rendering.texts.items():
            if path.startswith((".github/workflows/", ".gitlab/")) and text not in result:
                root = tmp_path_factory.mktemp("repository")
                (root / ".git").mkdir()
                (root / path).parent.mkdir(parents=True)
                (root / path).write_text(text, encoding="utf-8")
                result[text] = root / path
    assert result
    return result


def _workflows(files: dict[str, Path]) -> dict[str, Path]:
    return {text: path for text, path in files.items() if ".github" in path.parts}


def _run(program: str, *words: str | Path) -> str:
    """Return the output of a linter, or an empty text if it passes."""
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [SCRIPTS / program, *words], capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_every_forge_has_its_own_files_and_no_other(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        name = rendering.answers["name"]
        there = {path for path in rendering.texts if path.startswith((".github/", ".gitlab"))}
        expected = {
            "github": {f".github/workflows/{name}-image.yml"},
            "gitlab": {f".gitlab/{name}-image.yml"},
            "none": set(),
        }[rendering.answers["ci"]]
        if rendering.answers["cleanup"] and rendering.answers["registry"] == "ghcr":
            expected |= {f".github/workflows/{name}-cleanup.yml"}
        assert there == expected


@pytest.mark.slow
def test_actionlint_has_nothing_to_say(files: dict[str, Path]) -> None:
    workflows = _workflows(files)
    assert len(workflows) > 40
    # Only its own rules: a test below checks each shell script once.
    assert _run("jactionlint", "--profile", "correctness", "--shellcheck=", *workflows.values()) == ""


@pytest.mark.slow
def test_zizmor_has_nothing_to_say(files: dict[str, Path]) -> None:
    options = ["--offline", "--quiet", "--persona", "pedantic", "--no-config"]
    assert _run("zizmor", *options, *_workflows(files).values()) == ""


def test_a_finding_of_zizmor_is_ignored_only_with_a_reason_before(files: dict[str, Path]) -> None:
    ignored = {line.strip() for text in files for line in text.splitlines() if "zizmor: ignore" in line}
    # An alias of a step has no position of its own, so take that of the step.
    reasons = {line for line in ignored if not re.match(r"- \*[a-z-]+ #", line)}
    assert reasons
    assert [line for line in reasons if not re.match(r"# \w.{30,}\. # zizmor: ignore\[[a-z-]+\]$", line)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "schema"), [(".github", "vendor.github-workflows"), (".gitlab", "vendor.gitlab-ci")]
)
def test_the_forge_s_schema_holds(folder: str, schema: str, files: dict[str, Path]) -> None:
    mine = [path for path in files.values() if folder in path.parts]
    assert mine
    assert _run("check-jsonschema", "--builtin-schema", schema, *mine) == ""


def _shell(documents: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Each distinct script and its shell."""
    result: dict[str, str] = {}
    for document in documents:
        for job in document.get("jobs", {}).values():
            result |= {step["run"]: "bash" for step in job["steps"] if "run" in step}
        for job in document.values():
            if isinstance(job, dict) and "script" in job:
                result["\n".join(job["script"])] = "busybox"
    return result


@pytest.mark.slow
def test_shellcheck_has_nothing_to_say(files: dict[str, Path], tmp_path: Path) -> None:
    scripts = _shell(yaml.load(text, yaml.BaseLoader) for text in files)
    assert len(scripts) > 20
    paths = []
    for number, (script, shell) in enumerate(scripts.items()):
        # A forge replaces its expressions before the shell reads the text, so a script must not contain any.
        assert "${{" not in script
        paths.append(tmp_path / f"{number}.sh")
        # Both forges stop at the first failing command.
        paths[-1].write_text(f"# shellcheck shell={shell}\nset -e\n{script}\n")
    assert _run("shellcheck", "--norc", *paths) == ""


def test_no_line_is_longer_than_a_screen(files: dict[str, Path]) -> None:
    for text, path in files.items():
        assert [line for line in text.splitlines() if len(line) > 120] == [], path
        assert text.count("docker run --detach") <= 1


def test_what_comes_between_the_build_and_the_push_has_at_most_forty_lines_of_shell(files: dict[str, Path]) -> None:
    seen = set()
    for text, path in _workflows(files).items():
        steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
        scripts = {step["run"] for step in steps if re.match(r"Smoke test|Compare sizes", step["name"])}
        seen.add((len(scripts), asks := "curl" in text))
        # Paths, variables and writable folders come from the answers.
        lines = [line for script in scripts for line in script.splitlines() if not re.match(r"  --(env|tmpfs) ", line)]
        assert len(lines) <= (50 if asks else 40), path
    assert seen >= {(2, False), (2, True)}


def _workflow(**data: Any) -> str:
    template = Template(bundled())
    tree = render(template, resolve(template, folder_name="orders", data=data))
    return tree[".github/workflows/orders-image.yml"].content.decode()


@pytest.mark.parametrize("kind", ["python-fastapi", "nextjs-standalone", "sandbox-multi-runtime"])
def test_a_default_workflow_has_at_most_190_lines(kind: str) -> None:
    assert _workflow(kind=kind).count("\n") <= 190


def test_custom_regions_are_rendered_only_where_they_are_asked_for(tmp_path: Path) -> None:
    assert regions.find(_workflow(kind="python-fastapi")) == {}
    text = _workflow(kind="python-fastapi", more_regions=True)
    assert list(regions.find(text)) == ["steps", "pull-request-steps"]
    step = "      - &mine\n        name: Test\n        run: docker run --rm orders:test python -m app\n"
    filled = regions.fill(text, {"steps": step, "pull-request-steps": "      - *mine\n"})
    (path := tmp_path / ".github" / "workflows" / "orders-image.yml").parent.mkdir(parents=True)
    path.write_text(filled)
    assert _run("jactionlint", "--profile", "correctness", "--shellcheck=", path) == ""
    jobs = yaml.safe_load(filled)["jobs"]
    assert [[step["name"] for step in jobs[job]["steps"]].count("Test") for job in ("image", "pull-request")] == [1, 1]


def test_every_listed_action_is_used(files: dict[str, Path]) -> None:
    listed = yaml.safe_load((bundled().root / "templates" / "ci" / "actions.yml").read_text())
    used = {match["action"] for text in files for match in USES.finditer(text)}
    assert used == set(listed)


def test_a_monorepo_s_workflow_starts_for_its_own_files(renderings: list[Rendering]) -> None:
    seen = set()
    for rendering in renderings:
        if rendering.answers["ci"] != "github":
            continue
        name, app_dir = rendering.answers["name"], rendering.answers["app_dir"]
        if rendering.answers["kind"] == "shared-base":
            continue
        text = rendering.texts[f".github/workflows/{name}-image.yml"]
        on = yaml.load(text, yaml.BaseLoader)["on"]  # "on" stays a string
        seen.add(app_dir)
        for trigger in (on["push"], on["pull_request"]):
            paths = trigger["paths"] if app_dir != "." else None
            if paths is None:
                assert "paths" not in (trigger or {})
            else:
                # A FastAPI application with its own lock is not in a workspace.
                alone = rendering.answers["kind"] == "python-fastapi" and rendering.answers.get("own_lock")
                packages = [] if alone else rendering.answers.get("workspace_packages", [])
                assert {f"{app_dir}/**", f".github/workflows/{name}-image.yml", *(f"{p}/**" for p in packages)} <= set(
                    paths
                )
    assert seen == {".", "services/api"}


def test_hosts_are_warmed_by_the_same_unit_in_both_forms(renderings: list[Rendering]) -> None:
    warmed = [rendering for rendering in renderings if rendering.answers["prewarm"]]
    assert warmed
    for rendering in warmed:
        name = rendering.answers["name"]
        unit = rendering.texts[f"deploy/{name}/prewarm-{name}.service"]
        (file,) = yaml.safe_load(rendering.texts[f"deploy/{name}/cloud-init.yaml"])["write_files"]
        assert Path(file["path"]).name == f"prewarm-{name}.service"
        assert unit.partition("[Unit]")[1:] == file["content"].partition("[Unit]")[1:]
        assert f"{rendering.answers['image']}:" in unit


def test_an_ecr_policy_deletes_by_age_and_only_what_has_no_tag(renderings: list[Rendering]) -> None:
    policies = [
        json.loads(text)
        for rendering in renderings
        for path, text in rendering.texts.items()
        if path.endswith("ecr-lifecycle-policy.json")
    ]
    assert policies
    for policy in policies:
        (rule,) = policy["rules"]
        assert rule["selection"]["tagStatus"] == "untagged"
        assert (rule["selection"]["countType"], rule["selection"]["countNumber"]) == ("sinceImagePushed", 30)
