"""Run the rendered workflow of a repository for an event, and return the log of each step.

nektos/act runs each job on this machine (its "host mode"), in a copy of the repository. The actions are the stand-ins
in actions/. To use real ones, set $DOCKERTPL_ACTIONS to a folder with OWNER/ACTION/ for each.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from tests.engine import bases, host, service
from tests.samples import sample

from . import api, buildkit, runner
from .runner import Runner

HERE = Path(__file__).parent
ACTIONS = HERE / "actions"
BRANCH = "main"
OWNER_AND_NAME = "acme/orders"
#: The login for `registry: other`. The registry of the tests accepts any.
SECRETS = {"GITHUB_TOKEN": "no-token", "REGISTRY_USERNAME": "someone", "REGISTRY_PASSWORD": "no-password"}
RUN_SECONDS = 900
LABELS = ("ubuntu-24.04", "ubuntu-24.04-arm")

_USES = re.compile(r"uses:\s*[\"']?(?P<action>[\w.-]+/[\w.-]+)(?P<path>/[\w./-]+)?@(?P<ref>[\w.-]+)")
# "#12 [deps 3/5] RUN …", then "#12 CACHED" or "#12 DONE 1.2s" or "#12 ERROR: …".
_NAMED = re.compile(r"#(?P<number>\d+) \[(?:[^\]]+ )?\d+/\d+\] (?P<instruction>(?!FROM |LINK ).+)")
_ENDED = re.compile(r"#(?P<number>\d+) (?P<end>CACHED|DONE|ERROR|CANCELED)\b.*")
# A layer from a registry cache. A step that runs fetches no layer.
_FETCHED = re.compile(r"#(?P<number>\d+) (?:extracting )?sha256:")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine for jobs.

    Attributes:
        engine: The engine that every job uses.
        buildkit: The address of its BuildKit.
    """

    engine: Runner
    buildkit: str


@dataclass(frozen=True, kw_only=True)
class Build:
    """The build of one step: the instructions that ran, and the cached ones."""

    ran: tuple[str, ...]
    cached: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A started step.

    Attributes:
        job: The job's id in the workflow.
        matrix: The values of the job's matrix; empty if it has no matrix.
        name: The step's name.
        ok: Whether it succeeded.
        log: What it printed.
        seconds: How long it took.
    """

    job: str
    matrix: Mapping[str, Any]
    name: str
    ok: bool
    log: str
    seconds: float

    def build(self) -> Build:
        """Return BuildKit's work in this step."""
        names: dict[str, str] = {}
        ends: dict[str, str] = {}
        for line in self.log.splitlines():
            if (ended := _ENDED.fullmatch(line)) and ended["number"] in names:
                # A cached step is also "DONE" after its layer is fetched, and the two lines come in any order.
                if ends.get(ended["number"]) != "CACHED":
                    ends[ended["number"]] = ended["end"]
            elif (fetched := _FETCHED.match(line)) and fetched["number"] in names:
                ends[fetched["number"]] = "CACHED"
            elif named := _NAMED.fullmatch(line):
                names.setdefault(named["number"], line.split(" ", 1)[1])
        return Build(
            ran=tuple(name for number, name in names.items() if ends.get(number) in ("DONE", "ERROR")),
            cached=tuple(name for number, name in names.items() if ends.get(number) == "CACHED"),
        )


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run of the workflow.

    Attributes:
        ok: Whether every job that ran succeeded.
        jobs: Whether each job that ran succeeded.
        steps: The started steps, in order of their start.
        records: The requests to actions that reach beyond this machine: `action`, `job`, `inputs`.
        seconds: How long the run took.
        log: The full output, each line with its job.
        summary: The Markdown summary of the run's page.
    """

    ok: bool
    jobs: Mapping[str, bool]
    steps: Sequence[Step]
    records: Sequence[Mapping[str, Any]] = ()
    seconds: float = 0.0
    log: str = ""
    summary: str = ""

    def of(self, job: str) -> list[Step]:
        """Return the steps of a job."""
        return [step for step in self.steps if step.job == job]

    def builds(self, job: str) -> list[Build]:
        """Return the builds of a job, in order."""
        built = [step.build() for step in self.of(job)]
        return [build for build in built if build.ran or build.cached]

    def failed(self) -> list[Step]:
        """Return the steps that failed."""
        return [step for step in self.steps if not step.ok]

    def recorded(self, action: str) -> list[Mapping[str, Any]]:
        """Return the inputs of each recorded use of an action."""
        return [record["inputs"] for record in self.records if record["action"] == action]


@contextlib.contextmanager
def lent() -> Iterator[Machine]:
    """Start a machine with the sample's base images and a stand-in for BuildKit's scanner. Stop it after the block.

    Raises:
        host.EngineUnavailableError: It cannot be had here; the message says why and what to do.
        apt.AptError: A package cannot be installed.
    """
    with runner.started() as engine, buildkit.reachable(engine.socket) as address:
        bases.ensure(service.BASES, engine=engine)
        engine.run("build", "--provenance=false", f"--tag={runner.SCANNER}", str(HERE / "sbom"))
        yield Machine(engine=engine, buildkit=address)


def new_repository() -> str:
    """Return an unused repository name in the registry."""
    return f"acme/orders-{uuid.uuid4().hex[:12]}"


def application(folder: Path, *, image: str, answers: Mapping[str, str] | None = None) -> Path:
    """Make a repository with the sample application and the rendered files, committed on the default branch.

    Args:
        folder: An empty or a new folder.
        image: The image that the workflow pushes: "127.0.0.1:5000/acme/orders".
        answers: More answers, as `new -d` takes them.

    Returns:
        The repository's root, which is also the application's folder.
    """
    root = sample.write_sample(folder, manager="uv", layout="src", server="uvicorn")
    return published(root, image=image, answers=answers)


def published(root: Path, *, image: str, answers: Mapping[str, str] | None = None) -> Path:
    """Add the rendered files and a remote to an application, and commit everything on the default branch.

    Args:
        root: The root of a git repository without a commit; it is returned.
        image: The image that the workflow pushes.
        answers: More answers, as `new -d` takes them.
    """
    git(root, "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    git(root, "remote", "add", "origin", f"https://github.com/{OWNER_AND_NAME}")
    wanted = {"registry": "other", "image": image, **(answers or {})}
    service.new(root, *(word for key, value in wanted.items() for word in ("-d", f"{key}={value}")))
    commit(root, "First commit")
    return root


def workflow_file(root: Path, image: str = "*") -> Path:
    """Return the workflow that builds an image. Name the image if the repository has several."""
    (file,) = (root / ".github" / "workflows").glob(f"{image}-image.yml")
    return file


def workflow(root: Path) -> dict[str, Any]:
    """Return the workflow as a mapping with `on` as a string."""
    return parse(workflow_file(root).read_text())


def parse(text: str) -> dict[str, Any]:
    """Parse a workflow. YAML 1.1 reads the key `on` as true, but here it is "on"."""
    found: dict[Any, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return {"on" if key is True else key: value for key, value in found.items()}


def git(root: Path, *arguments: str) -> str:
    """Run git in a repository, and return its output."""
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(root: Path, message: str) -> str:
    """Commit everything, and return the commit."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
    return git(root, "rev-parse", "HEAD")


def append(root: Path, line: str, *, to: str = "src/orders/main.py") -> None:
    """Append a line to a file, by default the application's main module."""
    file = root / to
    file.write_text(f"{file.read_text()}\n{line}\n")


def push(root: Path, machine: Machine, *, ref: str = f"refs/heads/{BRANCH}", **options: Any) -> Run:
    """Run the workflow for a push of HEAD to a branch or a tag."""
    payload = {"ref": ref, "after": git(root, "rev-parse", "HEAD")}
    return run_workflow(root, "push", machine=machine, payload=payload, **options)


def pull_request(root: Path, machine: Machine, *, number: int = 7, **options: Any) -> Run:
    """Run the workflow for a pull request of HEAD's branch. Its jobs see it merged into the default branch."""
    head = git(root, "rev-parse", "--abbrev-ref", "HEAD")
    commits = {name: git(root, "rev-parse", name) for name in (head, BRANCH)}
    git(root, "switch", "--quiet", "--detach", BRANCH)
    git(root, "merge", "--quiet", "--no-ff", "--message", f"Merge {head}", head)
    payload = {
        "ref": f"refs/pull/{number}/merge",
        "action": "opened",
        "number": number,
        "pull_request": {
            "number": number,
            "head": {"ref": head, "sha": commits[head], "repo": {"full_name": OWNER_AND_NAME, "fork": False}},
            "base": {"ref": BRANCH, "sha": commits[BRANCH], "repo": {"full_name": OWNER_AND_NAME}},
        },
    }
    try:
        return run_workflow(root, "pull_request", machine=machine, payload=payload, **options)
    finally:
        git(root, "switch", "--quiet", head)


def run_workflow(
    root: Path,
    event: str,
    *,
    machine: Machine,
    payload: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    image: str = "*",
) -> Run:
    """Run the workflow of a repository's commit for an event.

    Args:
        root: The repository, including uncommitted files.
        event: Its name, such as "push".
        machine: The machine for the jobs.
        payload: The event's payload beyond what says which repository it is.
        secrets: Instead of `SECRETS`.
        variables: The values of `vars`.
        image: The image to build, if the repository has several.

    Raises:
        RuntimeError: The workflow did not run at all: act refuses it, or an action has no stand-in.
    """
    file = workflow_file(root, image)
    text = file.read_text()
    # On GitHub, each job of a matrix has its own machine. Here they share an engine, so keep their images apart.
    alone = re.sub(r"^    strategy:(?: &strategy)?\n", r"\g<0>      max-parallel: 1\n", text, flags=re.MULTILINE)
    # act clears the summary file at each step, and shows no summaries.
    alone = alone.replace("$GITHUB_STEP_SUMMARY", "$STANDIN_SUMMARY")
    with tempfile.TemporaryDirectory(prefix="act-") as work:
        docker = Path(work, "docker")
        docker.mkdir()
        (copy := Path(work, file.name)).write_text(alone)
        (summary := Path(work, "summary.md")).touch()
        own = {"DOCKER_CONFIG": str(docker), "STANDIN_BUILDKIT": machine.buildkit, "STANDIN_SUMMARY": str(summary)}
        run = run_file(
            root,
            copy,
            event,
            environ={**_environ(machine.engine), **own},
            uses=text,
            payload=payload,
            secrets=secrets,
            variables=variables,
        )
        return replace(run, summary=summary.read_text())


def run_file(
    root: Path,
    file: Path,
    event: str,
    *,
    environ: Mapping[str, str],
    uses: str,
    payload: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    artifacts: Path | None = None,
) -> Run:
    """Run a workflow's file in a repository for an event.

    Args:
        root: The repository, including uncommitted files.
        file: The workflow.
        event: The event's name, such as "push".
        environ: The environment of the jobs.
        uses: Text that names every action of this workflow and of the workflows that it calls.
        payload: The event's payload beyond what says which repository it is.
        secrets: Instead of `SECRETS`.
        variables: The values of `vars`.
        artifacts: An empty folder for the artifacts, each in its own folder. By default, they are deleted.

    Raises:
        RuntimeError: The workflow did not run at all: act refuses it, or an action has no stand-in.
    """
    owner, name = OWNER_AND_NAME.split("/")
    repository = {
        "name": name,
        "full_name": OWNER_AND_NAME,
        "default_branch": BRANCH,
        "html_url": f"https://github.com/{OWNER_AND_NAME}",
        "description": "A sample",
        "owner": {"login": owner},
        "private": False,
    }
    with tempfile.TemporaryDirectory(prefix="act-") as work, api.answering(repository) as api_address:
        folders = {key: Path(work, key) for key in ("cache", "records", "artifacts")}
        for folder in folders.values():
            folder.mkdir()
        event_file = Path(work, "event.json")
        event_file.write_text(json.dumps({"repository": repository, **(payload or {})}))
        options = [f"--platform={label}=-self-hosted" for label in LABELS]
        options += [f"--local-repository={use}={path}" for use, path in _actions(uses)]
        for option, values in (("secret", SECRETS if secrets is None else secrets), ("var", variables or {})):
            options += [f"--{option}={key}={value}" for key, value in values.items()]
        own = {
            "STANDINS": str(HERE / "standins.py"),
            "STANDIN_PYTHON": sys.executable,
            "STANDIN_RECORDS": str(folders["records"]),
            "STANDIN_ARTIFACTS": str(artifacts or folders["artifacts"]),
            "GIT_PAGER": "cat",
        }
        command = [
            *(_program("act"), event, "--json", "--action-offline-mode", "--no-cache-server"),
            *("--workflows", str(file), "--eventpath", str(event_file)),
            *("--env", f"GITHUB_API_URL={api_address}"),
            *("--action-cache-path", str(folders["cache"]), "--defaultbranch", BRANCH),
            *options,
        ]
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=root,
            env={**environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        seconds = time.monotonic() - started
        records = [json.loads(file.read_text()) for file in sorted(folders["records"].iterdir())]
    return _read(done.stdout, code=done.returncode, records=records, seconds=seconds)


def _environ(engine: host.Engine) -> dict[str, str]:
    environ = {key: value for key, value in engine.environ().items() if not key.startswith(("BUILDX_", "BUILDKIT_"))}
    # As on GitHub's machines, pipx and gh are on PATH. This pipx is that of the tests, and this gh records its
    # arguments.
    tools = host.run_dir() / "workflow-tools"
    tools.mkdir(exist_ok=True)
    for name, program in (("pipx", _program("pipx")), ("gh", str(HERE / "gh"))):
        link = tools / name
        if not link.exists() or link.resolve() != Path(program).resolve():
            link.unlink(missing_ok=True)
            link.symlink_to(program)
    return {**environ, "PATH": f"{tools}{os.pathsep}{environ['PATH']}"}


@functools.cache
def _program(name: str) -> str:
    """Return the path of a program from the development dependencies."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    if not found:
        raise RuntimeError(f"{name} is not installed: it is one of the development dependencies")
    return found


def _actions(text: str) -> Iterator[tuple[str, Path]]:
    """Yield OWNER/ACTION@REF and the folder that replaces it, for each action of a workflow."""
    real = os.environ.get("DOCKERTPL_ACTIONS")
    for use in sorted({(match["action"], match["ref"]) for match in _USES.finditer(text)}):
        action, ref = use
        folders = [Path(real, action)] if real else []
        found = next((folder for folder in (*folders, ACTIONS / action) if (folder / "action.yml").exists()), None)
        if found is None:
            raise RuntimeError(f"{action} has no stand-in in {ACTIONS}")
        yield f"{action}@{ref}", found


@dataclass(kw_only=True)
class _Open:
    """A step, as far as the log has reported it."""

    name: str
    ok: bool = True
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0


def _read(text: str, *, code: int, records: Sequence[Mapping[str, Any]], seconds: float) -> Run:
    """Parse the lines of act's log."""
    steps: dict[tuple[str, str, str], _Open] = {}
    jobs: dict[str, bool] = {}
    log: list[str] = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"msg": line}
        message = str(entry.get("msg", "")).rstrip("\n")
        log.append(f"{entry.get('jobID', '')}| {message}")
        job = entry.get("jobID", "")
        if "jobResult" in entry:
            jobs[job] = jobs.get(job, True) and entry["jobResult"] == "success"
        if entry.get("stage") != "Main":
            continue
        identifiers = entry["stepID"]
        step = steps.setdefault(
            (job, json.dumps(entry.get("matrix") or {}), str(identifiers[0])), _Open(name=entry["step"])
        )
        if entry.get("raw_output"):
            step.lines.append(message)
        if "stepResult" in entry and len(identifiers) == 1:
            step.ok = entry["stepResult"] != "failure"
            step.seconds = entry.get("executionTime", 0) / 1e9
    if not jobs:
        raise RuntimeError("no job ran:\n" + "\n".join(log[-30:]))
    return Run(
        ok=code == 0,
        jobs=jobs,
        steps=[
            Step(
                job=job,
                matrix=json.loads(matrix),
                name=step.name,
                ok=step.ok,
                log="\n".join(step.lines),
                seconds=step.seconds,
            )
            for (job, matrix, _), step in steps.items()
        ],
        records=records,
        seconds=seconds,
        log="\n".join(log),
    )
