"""`dockertpl fleet …` as users and CI call it: exit codes, JSON, files, and one clear error for bad input."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests import releases
from tests.fleet.fakes import FakeForge
from tests.releases import commit, scaffold

from dockertpl.commands import verify
from dockertpl.commands.fleet import plan, session, status
from dockertpl.commands.fleet.verify_item import verified
from dockertpl.errors import ForgeError
from dockertpl.fleet import scan
from dockertpl.fleet.forges.connect import Forges
from dockertpl.fleet.model import Repository, Row
from dockertpl.fleet.plan import PlanItem

pytestmark = pytest.mark.slow

Run = Callable[..., Any]
Git = Callable[..., str]
COUNT = 3


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for commands, with a template and a fleet of three repositories. No account is configured."""
    template = releases.make(tmp_path / "template")
    root = scaffold(tmp_path / "app-0", template)
    for number in range(COUNT):
        shutil.copytree(root, tmp_path / "fleet" / f"app-{number}")
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_APP_ID", "GITHUB_API_URL", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def fleet(folder: Path, dockertpl: Run) -> Run:
    """`fleet(COMMAND, …)` runs a fleet command. Commands that read repositories get the template."""

    def run(command: str, *arguments: object) -> Any:
        looking = ["--template", folder / "template", "--to", "v2.0.0"] if command in ("status", "plan") else []
        return dockertpl("fleet", command, *arguments, *looking)

    return run


def _command(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "dockertpl", "fleet", *map(str, arguments)], text=True, **options)


def _conflict(root: Path) -> None:
    path = root / "Dockerfile"
    path.write_text(path.read_text().replace("line 3\n", "my line\n"))
    commit(root)


def test_a_fleet_is_planned_applied_and_reported(folder: Path, fleet: Run, git: Git) -> None:
    planned = fleet("plan", "fleet", "-o", "plan.jsonl", "--json")
    assert (planned.code, planned.json["to_do"], planned.json["states"]) == (0, COUNT, {"outdated": COUNT})
    applied = fleet("apply", "plan.jsonl", "--json")
    assert (applied.code, applied.json["results"], applied.json["ended"]) == (0, {"branch": COUNT}, "done")
    assert "line three" in git(folder / "fleet" / "app-1", "show", "dockertpl/app:Dockerfile")
    reported = fleet("report", applied.json["journal"], "--plan", "plan.jsonl", "--json")
    assert (reported.code, reported.json["results"], reported.json["left"]) == (0, {"branch": COUNT}, 0)


def test_quietly_nothing_is_printed_and_the_exit_code_says_it(folder: Path, fleet: Run) -> None:
    _conflict(folder / "fleet" / "app-1")
    journal = "fleet-plan.journal.jsonl"
    commands = (
        ("status", "fleet"),
        ("plan", "fleet"),
        ("apply", "fleet-plan.jsonl"),
        ("resume", journal),
        ("report", journal),
    )
    for command in commands:
        done = fleet(*command, "--quiet")
        assert (done.code, done.out, done.err) == (1, "", ""), command


def test_planning_changes_no_repository(folder: Path, fleet: Run, git: Git) -> None:
    def seen() -> list[str]:
        return [git(path, "for-each-ref") + git(path, "status", "--porcelain") for path in (folder / "fleet").iterdir()]

    before = seen()
    shown = fleet("plan", "fleet", "--diff")
    assert seen() == before
    assert shown.out.count("+line three") == COUNT


def test_the_same_fleet_has_the_same_hash(fleet: Run) -> None:
    hashes = [fleet("plan", "fleet", "-o", name, "--json").json["hash"] for name in ("one.jsonl", "two.jsonl")]
    assert hashes[0] == hashes[1]


def test_a_conflict_needs_a_manual_fix_and_the_others_continue(folder: Path, fleet: Run) -> None:
    _conflict(folder / "fleet" / "app-1")
    assert fleet("plan", "fleet").code == 1
    applied = fleet("apply", "fleet-plan.jsonl", "--json")
    assert (applied.code, applied.json["results"]) == (1, {"branch": 2, "conflicted": 1})


def test_what_to_run_next_runs_as_it_is_printed(folder: Path, fleet: Run) -> None:
    name = "my plan.jsonl"
    said = fleet("plan", "fleet", "-o", name).err
    said += fleet("apply", name, "--waves", "1", "--pause").err
    said += fleet("apply", name).err
    printed = [line.partition("with: dockertpl fleet ")[2] for line in said.splitlines() if "with: " in line]
    assert [shlex.split(line) for line in printed] == [
        ["apply", name],
        ["resume", "my plan.journal.jsonl"],
        ["resume", "my plan.journal.jsonl"],
    ]
    assert "/2" not in said
    divided = fleet("plan", "fleet", "-o", name, "--shards", "2", "--format", "github-matrix").err
    assert "dockertpl fleet apply 'my plan.jsonl' --shard K/2\n" in divided


def test_waves_pause_and_resume_goes_on(fleet: Run) -> None:
    fleet("plan", "fleet")
    paused = fleet("apply", "fleet-plan.jsonl", "--waves", "1", "--pause", "--json")
    assert (paused.code, paused.json["ended"], paused.json["left"]) == (1, "paused", 2)
    reported = fleet("report", paused.json["journal"], "--plan", "fleet-plan.jsonl", "--json")
    assert (reported.code, reported.json["left"]) == (1, 2)
    resumed = fleet("resume", paused.json["journal"], "--json")
    assert (resumed.code, resumed.json["results"], resumed.json["left"]) == (0, {"branch": 3}, 0)


def test_what_failed_is_tried_again_when_it_is_asked_for(folder: Path, fleet: Run) -> None:
    fleet("plan", "fleet")
    (folder / "fleet" / "app-1" / ".git").rename(folder / "away")
    applied = fleet("apply", "fleet-plan.jsonl", "--json")
    assert applied.json["results"] == {"branch": 2, "failed": 1}
    (folder / "away").rename(folder / "fleet" / "app-1" / ".git")
    assert fleet("resume", applied.json["journal"], "--json").json["results"] == {"branch": 2, "failed": 1}
    assert fleet("resume", applied.json["journal"], "--failed", "--json").json["results"] == {"branch": 3}


@pytest.mark.parametrize("step", ["plan", "apply"])
def test_a_reader_that_leaves_stops_no_work(step: str, folder: Path, fleet: Run) -> None:
    fleet("plan", "fleet", "-o", "plan.jsonl")
    looking = ("--template", folder / "template", "--to", "v2.0.0")
    arguments = {"plan": ("fleet", "--diff", *looking, "-o", "again.jsonl"), "apply": ("plan.jsonl",)}[step]
    with _command(step, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0
    assert "dockertpl:" not in said
    if step == "plan":
        assert (folder / "again.jsonl").read_text() == (folder / "plan.jsonl").read_text()
    else:
        assert fleet("report", "plan.journal.jsonl", "--json").json["results"] == {"branch": COUNT}


def _on_a_terminal(*arguments: object, term: str) -> list[str]:
    """Return the lines of a command on a terminal, with what it drew over."""
    main, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    environment = {**os.environ, "TERM": term, "CI": ""}
    with _command(*arguments, stdout=terminal, stderr=terminal, env=environment):
        os.close(terminal)
        shown = b""
        # Linux reports the closed end as an error.
        with suppress(OSError):
            while part := os.read(main, 4096):
                shown += part
    os.close(main)
    return shown.decode().replace("\r\n", "\n").split("\n")


def test_on_a_terminal_lines_appear_above_the_progress_bar(fleet: Run) -> None:
    fleet("plan", "fleet", "-o", "plan.jsonl")
    lines = _on_a_terminal("apply", "plan.jsonl", term="xterm")
    # The terminal shows what follows the last carriage return.
    assert [line.rpartition("\r")[2] for line in lines if "app: branch" in line] == [
        f"fleet/app-{number} app: branch: dockertpl/app" for number in range(COUNT)
    ]
    assert any(f"/{COUNT} images [" in line for line in lines)


def test_without_redrawing_there_is_no_progress_bar(folder: Path) -> None:
    looking = ("--template", folder / "template", "--to", "v2.0.0")
    lines = _on_a_terminal("plan", "fleet", *looking, "-o", "plan.jsonl", term="dumb")
    assert not any("\r" in line or "%|" in line for line in lines)


@pytest.mark.parametrize("quiet", [False, True])
def test_a_long_wait_for_a_forge_is_reported_once(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    told = session.forges(quiet=quiet).waiting
    for seconds in (1.5, 600, 600, 599):
        told(seconds)
    said = capsys.readouterr().err
    assert said.count("Waiting until ") == (not quiet)
    told(3600)
    assert capsys.readouterr().err.count("because of a rate limit.\n") == (not quiet)


def test_two_shards_are_the_whole(fleet: Run) -> None:
    printed = fleet("plan", "fleet", "--shards", "2", "--format", "github-matrix")
    assert json.loads(printed.out) == {"include": [{"shard": "1/2"}, {"shard": "2/2"}]}
    journals = [fleet("apply", "fleet-plan.jsonl", "--shard", f"{n}/2", "--json").json["journal"] for n in (1, 2)]
    reported = fleet("report", *journals, "--plan", "fleet-plan.jsonl", "--json")
    assert (reported.code, reported.json["results"]) == (0, {"branch": COUNT})


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "html"])
def test_status_is_shown_in_every_form(form: str, folder: Path, fleet: Run) -> None:
    shown = fleet("status", "fleet", "--format", form)
    assert shown.code == 1
    assert shown.out.count("fleet/app-1") >= 1
    assert fleet("status", "fleet", "--format", form, "--output", "status.out").out == ""
    assert "fleet/app-1" in (folder / "status.out").read_text()


def test_json_goes_where_a_report_would_go(folder: Path, fleet: Run) -> None:
    printed = fleet("status", "fleet", "--json")
    written = fleet("status", "fleet", "--format", "json", "--output", "status.json")
    assert (written.code, written.out, written.err) == (1, "", "")
    assert (folder / "status.json").read_text() == printed.out
    both = fleet("status", "fleet", "--json", "--format", "csv", "--output", "status.csv")
    assert both.out == printed.out
    assert (folder / "status.csv").read_text().startswith("state,")
    planned = fleet("plan", "fleet", "--format", "json", "--output", "plan.jsonl")
    assert (planned.json["plan"], planned.json["to_do"]) == ("plan.jsonl", COUNT)


@pytest.mark.parametrize("form", [["--json"], ["--format", "json"], ["--format=json"]])
def test_an_error_is_json_where_the_result_would_be(form: list[str], folder: Path, fleet: Run) -> None:
    failed = fleet("status", "nowhere", *form)
    assert (failed.code, failed.json["error"]["code"], failed.err) == (2, "bad-input", "")


def test_status_as_json_has_a_row_an_image(fleet: Run) -> None:
    rows = fleet("status", "fleet", "--json").json["rows"]
    assert [(row["repository"], row["state"], row["version"]) for row in rows] == [
        (f"fleet/app-{number}", "outdated", "v1.0.0") for number in range(COUNT)
    ]


def test_what_has_conflicts_is_not_said_to_be_updated(folder: Path, fleet: Run) -> None:
    _conflict(folder / "fleet" / "app-1")
    said = fleet("plan", "fleet", "-o", "plan.jsonl").err
    assert f"2 of {COUNT} images would be updated to v2.0.0, and 1 has conflicts.\n" in said
    assert "\nApply it with: dockertpl fleet apply plan.jsonl\n" in said
    assert fleet("discover", "fleet/app-1").err == "1 repository.\n"


def test_a_report_of_nothing_has_the_columns_of_one(folder: Path, fleet: Run) -> None:
    fleet("plan", "fleet", "-o", "plan.jsonl")
    fleet("apply", "plan.jsonl", "--waves", "1", "--pause")
    full = fleet("report", "plan.journal.jsonl", "--format", "csv").out.splitlines()
    head = (folder / "plan.journal.jsonl").read_text().splitlines()[0]
    (folder / "empty.jsonl").write_text(f"{head}\n")
    assert fleet("report", "empty.jsonl", "--format", "csv").out.splitlines() == full[:1]


def test_what_is_discovered_is_a_list_for_the_others(folder: Path, fleet: Run) -> None:
    found = fleet("discover", "fleet", "--exclude", "app-2")
    assert found.out.splitlines() == ["fleet/app-0", "fleet/app-1"]
    (folder / "fleet.txt").write_text(found.out)
    assert len(fleet("status", "fleet.txt", "--json").json["rows"]) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("plan", "missing"), 2, "not a place"),
        (("plan", "fleet", "--exclude", "*"), 2, "no repositories found"),
        (("plan", "fleet", "-o", "missing/plan.jsonl"), 2, "cannot be written"),
        (("plan", "fleet", "--shards", "2"), 2, "--shards needs"),
        (("plan", "fleet", "--shards", "999", "--format", "github-matrix"), 2, "256"),
        (("apply", "missing.jsonl"), 2, "cannot be read"),
        (("apply", "fleet.txt"), 2, "not a valid plan"),
        (("apply", "plan.jsonl", "--shard", "3/2"), 2, "not a valid shard"),
        (("apply", "plan.jsonl", "--waves", "x"), 2, "neither a number"),
        (("apply", "plan.jsonl", "--author", "nobody"), 2, "NAME <MAIL>"),
        (("resume", "plan.jsonl"), 2, "not a journal"),
        (("report", "plan.jsonl"), 2, "not a journal"),
        (("status", "github:org"), 3, "token is set"),
        (("status", "fleet", "--format", "html", "--output", "missing/x.html"), 2, "cannot be written"),
    ],
)
def test_bad_input_is_one_clear_error(
    arguments: tuple[str, ...], code: int, word: str, folder: Path, fleet: Run
) -> None:
    fleet("plan", "fleet", "-o", "plan.jsonl")
    (folder / "fleet.txt").write_text("fleet\n")
    done = fleet(*arguments)
    assert (done.code, word in done.err) == (code, True)
    assert "Traceback" not in done.err


def test_a_matrix_and_json_are_never_on_one_output(folder: Path, fleet: Run) -> None:
    done = fleet("plan", "fleet", "--shards", "2", "--format", "github-matrix", "--json")
    assert (done.code, "both write to stdout" in done.json["error"]["message"]) == (2, True)
    assert not (folder / "fleet-plan.jsonl").exists()


def test_a_version_that_the_template_lacks_is_reported(folder: Path, dockertpl: Run) -> None:
    done = dockertpl("fleet", "plan", "fleet", "--template", folder / "template", "--to", "v9.9.9")
    assert (done.code, "v9.9.9" in done.err) == (2, True)


def test_a_changed_plan_is_not_resumed(folder: Path, fleet: Run) -> None:
    fleet("plan", "fleet")
    journal = fleet("apply", "fleet-plan.jsonl", "--waves", "1", "--pause", "--json").json["journal"]
    _conflict(folder / "fleet" / "app-1")
    fleet("plan", "fleet")
    done = fleet("resume", journal)
    assert (done.code, "has changed" in done.err) == (2, True)


def test_resume_in_another_folder_says_where_to_run_it(
    folder: Path, fleet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet("plan", "fleet", "-o", "plan.jsonl")
    fleet("apply", "plan.jsonl", "--waves", "1", "--pause")
    monkeypatch.chdir(folder / "fleet")
    resumed = fleet("resume", "../plan.journal.jsonl", "--json")
    assert (resumed.code, "plan.jsonl" in resumed.json["error"]["message"]) == (2, True)
    assert "in the folder where you applied it" in resumed.json["error"]["remedy"]
    monkeypatch.chdir(folder)
    assert fleet("resume", "plan.journal.jsonl", "--json").json["left"] == 0


def test_a_github_repository_without_an_account_is_not_started(folder: Path, fleet: Run) -> None:
    fleet("plan", "fleet")
    text = (folder / "fleet-plan.jsonl").read_text()
    lines = [line for line in text.splitlines() if '"hash"' not in line[:8]]
    from hashlib import sha256

    lines[1] = lines[1].replace('"location"', '"forge": "github", "slug": "org/app", "location"')
    body = "".join(f"{line}\n" for line in lines)
    (folder / "fleet-plan.jsonl").write_text(f'{body}{{"hash": "{sha256(body.encode()).hexdigest()}"}}\n')
    done = fleet("apply", "fleet-plan.jsonl")
    assert (done.code, "token" in done.err) == (3, True)
    done = fleet("apply", "fleet-plan.jsonl", "--branches-only", "--journal", "other.jsonl")
    assert done.code == 0


@pytest.mark.parametrize("place", ["fleet", "fleet.txt"])
def test_a_hostile_repository_is_contained_and_reported(place: str, folder: Path, fleet: Run, git: Git) -> None:
    (folder / "fleet.txt").write_text("".join(f"file://{folder}/fleet/app-{number}\n" for number in range(COUNT)))
    outside = folder / "outside"
    outside.mkdir()
    (outside / "Dockerfile").write_text("not yours\n")
    hostile = folder / "fleet" / "app-1"
    (hostile / "Dockerfile").unlink()
    (hostile / "Dockerfile").symlink_to(outside / "Dockerfile")
    with (hostile / "gone.txt").open("wb") as stream:
        stream.truncate(64 << 20)
    git(
        hostile,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "--quiet",
        str(folder / "fleet" / "app-0"),
        "sub",
    )
    git(hostile, "add", "--all")
    git(hostile, "commit", "--quiet", "--message", "hostile")
    for name in ("app-0", "app-1"):
        for hook in ("reference-transaction", "pre-receive", "update", "post-receive"):
            path = folder / "fleet" / name / ".git" / "hooks" / hook
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\ntouch {outside}/ran\n")
            path.chmod(0o755)
    (outside / "ran").unlink(missing_ok=True)
    planned = fleet("plan", place, "--json")
    states = {Path(row["repository"]).name: row["state"] for row in planned.json["rows"]}
    assert states == {"app-0": "outdated", "app-1": "unsafe", "app-2": "outdated"}
    applied = fleet("apply", "fleet-plan.jsonl", "--json")
    assert applied.json["results"] == {"branch": 2}
    assert sorted(path.name for path in outside.iterdir()) == ["Dockerfile"]
    assert (outside / "Dockerfile").read_text() == "not yours\n"


def test_an_interrupt_while_waiting_to_verify_builds_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []

    def builds(*arguments: object, **options: object) -> dict[str, object]:
        built.append(arguments)
        # A route that needs a database must not stop an update.
        assert options["paths_only"] is True
        return {}

    monkeypatch.setattr(verify, "plainly", builds)
    forges = Forges(environ={})
    root = folder / "fleet" / "app-0"
    assert verified(root, ".copier-answers.yml", check=forges.check) == {}
    forges.stop()
    with pytest.raises(KeyboardInterrupt):
        verified(root, ".copier-answers.yml", check=forges.check)
    assert len(built) == 1


def test_an_interrupt_stops_all_that_waits(folder: Path, fleet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def verifying(folder: Path, answers_file: str, *, check: Callable[[], None]) -> Any:
        check()
        raise KeyboardInterrupt

    monkeypatch.setattr("dockertpl.commands.fleet.verify_item.verified", verifying)
    fleet("plan", "fleet", "-o", "plan.jsonl")
    assert fleet("apply", "plan.jsonl", "--verify").code == 130
    assert fleet("resume", "plan.journal.jsonl", "--json").code == 130
    assert fleet("report", "plan.journal.jsonl", "--json").json["outcomes"] == []


@pytest.mark.parametrize("command", ["plan", "status"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(
    command: str, number: signal.Signals, folder: Path, fleet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = folder / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr("dockertpl.git.clone", lambda *_: signal.raise_signal(number))
    assert (fleet(command, "fleet").code, list(scratch.iterdir())) == (130, [])


@pytest.mark.parametrize("module", [plan, status])
def test_what_looks_ends_before_what_it_works_with_is_removed(
    module: Any, folder: Path, fleet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[bool] = []
    items = scan.items

    def looking(found: Any, context: Any, **options: bool) -> Iterator[Any]:
        try:
            yield from items(found, context, **options)
        finally:
            there.append(context.scratch.folder.exists())

    def interrupted(things: Iterator[Any], **options: Any) -> Iterator[Any]:
        yield next(things)
        raise KeyboardInterrupt

    monkeypatch.setattr(scan, "items", looking)
    monkeypatch.setattr(module, "progress", interrupted)
    assert fleet(module.__name__.rpartition(".")[2], "fleet").code == 130
    assert there == [True]


def test_an_interrupted_status_waits_for_no_forge(folder: Path, fleet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = threading.Event()
    let_go: list[bool] = []

    def row(item: PlanItem, forges: Forges) -> Row:
        if item.repository.key == "fleet/app-1":
            assert waiting.wait(20)
            raise KeyboardInterrupt
        if item.repository.key == "fleet/app-2":
            waiting.set()
            let_go.append(forges._stopped.wait(20))
        return item.row

    monkeypatch.setattr(status, "_row", row)
    assert fleet("status", "fleet").code == 130
    assert let_go == [True]


@pytest.mark.parametrize("error", [ForgeError("it is away"), KeyError("head")])
def test_what_a_forge_says_of_one_image_is_that_image_s(error: Exception) -> None:
    class Strange(FakeForge):
        def proposal(self, slug: str, branch: str) -> Any:
            raise error

    repository = Repository(key="forge/org/app", location="https://forge.invalid/x", forge="github", slug="org/app")
    item = PlanItem(repository=repository, row=Row(repository=repository.key, state="outdated"), digest="d")
    row = status._row(item, Forges(environ={}, _connected={"github": Strange(bare=Path())}))
    assert (row.state, len(row.notes)) == ("outdated", 1)
