"""`dockertpl update`: it writes everything or nothing, loses no edits, and returns every documented exit code."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import releases
from tests.merge.scenario_template import git
from tests.parity import read_tree
from tests.releases import LINES, commit, scaffold

from dockertpl.errors import NoGitError
from dockertpl.template.source import PUBLISHED, bundled

pytestmark = pytest.mark.slow

Run = Callable[..., Any]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return releases.make(tmp_path / "template")


@pytest.fixture
def app(tmp_path: Path, template: Path) -> Path:
    return scaffold(tmp_path / "app", template)


def _edit(root: Path, old: str, new: str, path: str = "Dockerfile") -> None:
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))
    commit(root)


def _stored(root: Path, path: str = ".copier-answers.yml") -> Any:
    return yaml.safe_load((root / path).read_text())


# --- what is written -------------------------------------------------------------------------------------------------


def test_the_newest_release_is_merged_with_what_was_edited(app: Path, dockertpl: Run) -> None:
    _edit(app, "line 9\n", "line 9\nmine\n")
    done = dockertpl("update", app, "--json")
    assert done.code == 0
    assert (
        (app / "Dockerfile")
        .read_text()
        .endswith(LINES.replace("line 3\n", "line three\n").replace("line 9\n", "line 9\nmine\n"))
    )
    assert not (app / "gone.txt").exists()
    assert _stored(app)["_commit"] == "v3.0.0"
    assert done.json["written"] == [".copier-answers.yml", "Dockerfile"]
    assert done.json["removed"] == ["gone.txt"]
    (image,) = done.json["images"]
    assert (image["from"], image["to"], image["downgrade"]) == ("v1.0.0", "v3.0.0", False)


def test_twice_changes_nothing(app: Path, dockertpl: Run) -> None:
    assert dockertpl("update", app).code == 0
    commit(app)
    before = read_tree(app)
    done = dockertpl("update", app)
    assert (done.code, read_tree(app)) == (0, before)
    assert "up to date" in done.err


def test_an_older_version_needs_an_explicit_request_and_is_reported(app: Path, dockertpl: Run) -> None:
    before = read_tree(app)
    assert dockertpl("update", app).code == 0
    commit(app)
    done = dockertpl("update", app, "--to", "v1.0.0")
    assert (done.code, read_tree(app)) == (0, before)
    assert "older" in done.err


def test_a_repository_ahead_of_the_latest_release_stays(app: Path, template: Path, dockertpl: Run) -> None:
    (template / "project" / "{{ app_dir }}" / "more.txt").write_text("not released\n")
    commit(template)
    assert dockertpl("update", app, "--to", "HEAD").code == 0
    commit(app)
    assert _stored(app)["_commit"].startswith("v3.0.0-1-g")
    done = dockertpl("update", app, "--json")
    assert (done.code, done.json["written"]) == (0, [])


def test_other_answers_come_with_the_version_that_is_there(app: Path, dockertpl: Run) -> None:
    done = dockertpl("update", app, "--to", ":current:", "-d", "flavor=alpine", "--json")
    assert done.code == 0
    assert (app / "Dockerfile").read_text().startswith("FROM alpine\nLABEL a=of slim\n")
    assert _stored(app)["_commit"] == "v1.0.0"
    answers = done.json["images"][0]["answers"]
    assert answers["changed"] == {"flavor": {"old": "slim", "new": "alpine"}}
    assert answers["not_recomputed"] == {"label": {"old": "of slim", "new": "of alpine"}}


def test_an_answer_that_is_no_longer_valid_is_reported_and_needs_you(app: Path, dockertpl: Run) -> None:
    assert dockertpl("update", app, "--to", ":current:", "-d", "flavor=alpine").code == 0
    commit(app)
    done = dockertpl("update", app, "--dry-run", "--json")
    assert (done.code, done.json["images"][0]["answers"]["reset"]) == (1, {"flavor": {"old": "alpine", "new": "slim"}})
    (warning,) = done.json["warnings"]
    assert "flavor='alpine' (\"alpine\" is not a choice: slim, tiny). It is 'slim' now" in warning
    assert dockertpl("update", app, "-d", "flavor=tiny").code == 0


def test_several_images_are_updated_in_one_go(tmp_path: Path, template: Path, dockertpl: Run) -> None:
    root = scaffold(tmp_path / "shop", template)
    scaffold(root, template, "v2.0.0", {"name": "api", "app_dir": "api"})
    done = dockertpl("update", root, "--json")
    assert done.code == 0
    assert {_stored(root, path)["_commit"] for path in (".copier-answers.yml", ".copier-answers.api.yml")} == {"v3.0.0"}
    commit(root)
    assert dockertpl("update", root, "-d", "flavor=tiny").code == 2
    assert dockertpl("update", root, "-d", "flavor=tiny", "--answers-file", ".copier-answers.api.yml").code == 0
    assert (root / "api" / "Dockerfile").read_text().startswith("FROM tiny\n")
    assert (root / "Dockerfile").read_text().startswith("FROM slim\n")


def test_an_edited_file_that_the_template_removes_stays(app: Path, dockertpl: Run) -> None:
    _edit(app, "first", "mine", "gone.txt")
    done = dockertpl("update", app, "--json")
    assert (done.code, done.json["kept"]) == (1, ["gone.txt"])
    assert "mine" in (app / "gone.txt").read_text()


def test_comments_in_the_answers_file_stay(app: Path, dockertpl: Run) -> None:
    _edit(app, "kind: small", "# Why small.\nkind: small", ".copier-answers.yml")
    assert dockertpl("update", app).code == 0
    assert "# Why small.\n" in (app / ".copier-answers.yml").read_text()
    assert _stored(app)["_commit"] == "v3.0.0"


def test_nothing_is_written_through_a_link(app: Path, tmp_path: Path, dockertpl: Run) -> None:
    outside = tmp_path / "outside"
    outside.write_text("outside\n")
    (app / "Dockerfile").unlink()
    (app / "Dockerfile").symlink_to(outside)
    commit(app)
    done = dockertpl("update", app)
    assert done.code == 1
    assert (outside.read_text(), (app / "Dockerfile").is_symlink()) == ("outside\n", True)
    assert "Dockerfile is a link" in done.err


def test_what_a_sparse_checkout_leaves_out_is_not_taken_for_deleted(app: Path, dockertpl: Run) -> None:
    git(app, "sparse-checkout", "set", "--no-cone", "/*", "!/Dockerfile")
    assert not (app / "Dockerfile").exists()
    done = dockertpl("update", app)
    assert done.code == 1
    assert "Dockerfile is not checked out here, so the template's change was not applied." in done.err
    (image,) = dockertpl("status", app, "--json").json["images"]
    assert (image["edited"], image["missing"]) == ([], [])


def test_a_file_system_without_modes_causes_no_edits(app: Path, dockertpl: Run) -> None:
    git(app, "config", "core.fileMode", "false")
    for path in ("Dockerfile", "gone.txt", ".copier-answers.yml"):
        (app / path).chmod(0o777)
    assert dockertpl("status", app, "--json").json["images"][0]["edited"] == []
    done = dockertpl("update", app, "--json")
    assert (done.code, done.json["removed"]) == (0, ["gone.txt"])
    assert git(app, "status", "--porcelain", "--untracked-files=no").split() == [
        *("M", ".copier-answers.yml", "M", "Dockerfile", "D", "gone.txt")
    ]


def test_after_a_kill_the_next_update_knows_that_there_is_more_to_do(
    app: Path, template: Path, tmp_path: Path, dockertpl: Run
) -> None:
    folder = template / "project" / "{{ app_dir }}"
    (folder / "gone.txt").write_text(LINES)
    releases.release(template, "v4.0.0", None, None)
    (folder / "gone.txt").rename(folder / "moved.txt")
    (folder / "new.txt").write_text("new\n")
    releases.release(template, "v5.0.0", None, releases.DOCKERFILE.replace("line 5\n", "line five\n"))
    before = scaffold(tmp_path / "before", template, "v4.0.0")
    _edit(before, "line 9\n", "line nine\n", "gone.txt")
    _edit(before, "line 9\n", "line nine\n")
    after = tmp_path / "after"
    shutil.copytree(before, after)
    assert dockertpl("update", after, "--to", "v5.0.0").code == 0
    assert "line nine\n" in (after / "moved.txt").read_text()
    # The update writes four files and removes one.
    for at in range(6):
        root = tmp_path / f"killed-{at}"
        shutil.copytree(before, root)
        _killed(root, at)
        done = dockertpl("update", root, "--to", "v5.0.0")
        if done.code == 2:
            assert "uncommitted changes" in done.err
            git(root, "checkout", "--quiet", "HEAD", ".")
            git(root, "clean", "-d", "--force", "--quiet")
            done = dockertpl("update", root, "--to", "v5.0.0")
        assert done.code == 0
        assert read_tree(root) == read_tree(after), f"killed at rename {at}"


def _killed(root: Path, at: int) -> None:
    """Update a repository in a process that is killed before the given rename or removal."""
    code = f"""
import os, signal, sys
from dockertpl import cli
left = [{at}]
def patched(original):
    def call(*arguments, **options):
        if "dir_fd" in options or "dst_dir_fd" in options:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)
    return call
os.replace, os.unlink = patched(os.replace), patched(os.unlink)
sys.exit(cli._run(["update", {str(root)!r}, "--to", "v5.0.0"]))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True)


# --- conflicts -------------------------------------------------------------------------------------------------------


def test_git_commits_no_file_with_markers_as_it_is(app: Path, dockertpl: Run) -> None:
    _edit(app, "line 3\n", "mine\n")
    done = dockertpl("update", app, "--json")
    assert (done.code, done.json["conflicts"]) == (1, ["Dockerfile"])
    assert "<<<<<<< before updating\nmine\n=======\nline three\n" in (app / "Dockerfile").read_text()
    stages = [line.split()[2] for line in git(app, "ls-files", "--unmerged").splitlines()]
    assert stages == ["1", "2", "3"]


def test_git_knows_of_markers_in_a_file_that_the_template_renamed(app: Path, template: Path, dockertpl: Run) -> None:
    folder = template / "project" / "{{ app_dir }}"
    (folder / "Dockerfile.jinja").rename(folder / "Containerfile.jinja")
    (folder / "Containerfile.jinja").write_text(releases.DOCKERFILE.replace("line 3\n", "line three\n"))
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--message", "moved")
    git(template, "tag", "v4.0.0")
    _edit(app, "line 3\n", "mine\n")
    done = dockertpl("update", app, "--json")
    assert (done.code, done.json["conflicts"]) == (1, ["Containerfile"])
    unmerged = [line.split() for line in git(app, "ls-files", "--unmerged").splitlines()]
    assert [(stage, path) for _, _, stage, path in unmerged] == [(stage, "Containerfile") for stage in "123"]
    assert "mine\n" in git(app, "cat-file", "blob", unmerged[1][1])


def test_until_conflicts_are_solved_there_is_something_left_to_do(app: Path, dockertpl: Run) -> None:
    _edit(app, "line 3\n", "mine\n")
    assert dockertpl("update", app).code == 1
    before = read_tree(app)
    for options in ((), ("--dry-run",), ("--to", ":current:", "-d", "label=x")):
        done = dockertpl("update", app, *options)
        assert done.code == 1
        assert "unresolved conflicts: Dockerfile" in done.err
        assert "commit" not in done.err, "nobody is told to commit markers"
    assert read_tree(app) == before
    status = dockertpl("status", app, "--json")
    assert (status.code, status.json["images"][0]["unmerged"]) == (1, ["Dockerfile"])
    commit(app)
    assert (dockertpl("update", app).code, dockertpl("status", app).code) == (0, 0)


def test_without_a_way_to_mark_a_conflict_in_git_no_markers_are_written(app: Path, dockertpl: Run) -> None:
    _edit(app, "line 3\n", "mine\n")
    before = read_tree(app)
    (app / ".git" / "index.lock").touch()
    done = dockertpl("update", app)
    assert done.code == 3
    assert "git update-index failed" in done.err
    assert "Nothing was changed." in done.err
    (app / ".git" / "index.lock").unlink()
    assert read_tree(app) == before
    assert dockertpl("update", app).code == 1, "and it can be done again"


def test_rej_leaves_the_file_working_and_an_old_rej_stops_the_next_update(app: Path, dockertpl: Run) -> None:
    _edit(app, "line 3\n", "mine\n")
    assert dockertpl("update", app, "--conflict", "rej").code == 1
    assert "mine\n" in (app / "Dockerfile").read_text()
    git(app, "apply", "Dockerfile.rej")
    assert "line three\n" in (app / "Dockerfile").read_text()
    git(app, "checkout", "--quiet", "--", ".")
    assert dockertpl("update", app, "--conflict", "rej").code == 2


def test_stop_writes_nothing(app: Path, dockertpl: Run) -> None:
    _edit(app, "line 3\n", "mine\n")
    before = read_tree(app)
    done = dockertpl("update", app, "--conflict", "stop", "--json")
    assert (done.code, done.json["error"]["code"], done.json["conflicts"]) == (1, "conflict", ["Dockerfile"])
    assert read_tree(app) == before


def test_what_was_written_is_taken_back_as_the_how_to_says(app: Path, template: Path, dockertpl: Run) -> None:
    folder = template / "project" / "{{ app_dir }}"
    (folder / "added.txt").write_text("new\n")
    releases.release(template, "v4.0.0", None, None)
    _edit(app, "line 3\n", "mine\n")
    before = read_tree(app)
    done = dockertpl("update", app)
    assert (done.code, "added.txt: new" in done.err) == (1, True)
    git(app, "checkout", "--quiet", "HEAD", ".")
    (app / "added.txt").unlink()
    assert read_tree(app) == before
    assert not git(app, "status", "--porcelain")


# --- what is refused -------------------------------------------------------------------------------------------------


def test_only_the_files_concerned_have_to_be_committed(app: Path, dockertpl: Run) -> None:
    (app / "other.txt").write_text("not committed\n")
    assert dockertpl("update", app, "--to", "v2.0.0").code == 0
    commit(app)
    (app / "Dockerfile").write_text("not committed\n")
    assert dockertpl("update", app).code == 0, "version 3 does not change the Dockerfile"
    commit(app)
    (app / "Dockerfile").write_text((app / "Dockerfile").read_text() + "mine\n")
    before = read_tree(app)
    done = dockertpl("update", app, "--to", "v1.0.0", "--json")
    assert (done.code, done.json["error"]["code"], done.json["paths"]) == (2, "not-committed", ["Dockerfile"])
    assert read_tree(app) == before


def test_nothing_of_the_repository_s_runs(app: Path, tmp_path: Path, dockertpl: Run) -> None:
    ran = tmp_path / "ran"
    hook = app / ".git" / "hooks" / "post-index-change"
    hook.write_text(f"#!/bin/sh\necho hook >> {ran}\n")
    hook.chmod(0o755)
    (app / ".gitattributes").write_text("* filter=hostile\n")
    for key in ("filter.hostile.clean", "filter.hostile.smudge", "core.fsmonitor"):
        git(app, "config", key, f"echo {key} >> {ran}; cat")
    text = (app / "Dockerfile").read_text().replace("line 3\n", "mine\n")
    (app / "Dockerfile").write_text(text)
    commit(app)
    ran.unlink()
    assert dockertpl("update", app).code == 1
    assert not ran.exists(), ran.read_text()


def test_a_folder_without_git_is_only_looked_at(app: Path, dockertpl: Run) -> None:
    (app / ".git").rename(app.parent / "git")
    before = read_tree(app)
    assert dockertpl("update", app).code == 2
    done = dockertpl("update", app, "--dry-run")
    assert (done.code, read_tree(app)) == (0, before)
    assert "-line 3\n+line three\n" in done.out
    assert "deleted file mode 100644\n" in done.out


@pytest.mark.parametrize("answer", ["kind=other", "name=other", "app_dir=other"])
def test_an_image_does_not_become_another(app: Path, answer: str, dockertpl: Run) -> None:
    done = dockertpl("update", app, "-d", answer)
    assert done.code == 2
    assert "dockertpl new" in done.err


def test_nothing_is_written_into_a_folder_that_was_moved(tmp_path: Path, template: Path, dockertpl: Run) -> None:
    root = scaffold(tmp_path / "app", template, answers={"app_dir": "api"})
    answers_file = ".copier-answers.app.yml"
    _edit(root, "line 9\n", "line 9\nmine\n", "api/Dockerfile")
    git(root, "mv", "api", "service")
    commit(root)
    before = read_tree(root)
    done = dockertpl("update", root)
    assert (done.code, read_tree(root)) == (2, before)
    assert f"{answers_file} is for the folder api, which does not exist." in done.err
    _edit(root, "app_dir: api\n", "app_dir: service\n", answers_file)
    assert dockertpl("update", root).code == 0
    assert {"line three", "mine"} <= set((root / "service" / "Dockerfile").read_text().splitlines())
    git(root, "sparse-checkout", "set", "--no-cone", "/*", "!/service")
    assert "does not exist" not in dockertpl("update", root, "-d", "label=x").err


@pytest.mark.parametrize("answer", ["flavor=huge", "unknown=1"])
def test_a_bad_answer_changes_nothing(app: Path, answer: str, dockertpl: Run) -> None:
    before = read_tree(app)
    assert dockertpl("update", app, "-d", answer).code == 2
    assert read_tree(app) == before


def test_a_template_with_tasks_is_copier_s(app: Path, template: Path, dockertpl: Run) -> None:
    text = (template / "copier.yml").read_text()
    releases.release(template, "v4.0.0", text + "_tasks: [touch ran]\n", None)
    done = dockertpl("update", app, "--to", "v4.0.0", "-d", "flavor=a b")
    assert done.code == 2
    assert "copier update --trust --answers-file .copier-answers.yml --vcs-ref v4.0.0 -d 'flavor=a b'" in done.err


def test_an_unknown_version_is_named(app: Path, dockertpl: Run) -> None:
    done = dockertpl("update", app, "--to", "v9", "--json")
    assert (done.code, "v9" in done.json["error"]["message"]) == (2, True)


def test_an_answers_file_without_a_version_is_an_error_that_says_so(app: Path, dockertpl: Run) -> None:
    _edit(app, "_commit: v1.0.0\n", "", ".copier-answers.yml")
    done = dockertpl("update", app)
    assert done.code == 2
    assert "_commit" in done.err


@pytest.mark.parametrize("command", ["update", "status"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_during_a_fetch_leaves_nothing(
    app: Path, dockertpl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, number: signal.Signals
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr("dockertpl.git.clone", lambda *_: signal.raise_signal(number))
    done = dockertpl(command, app)
    assert (done.code, list(scratch.iterdir())) == (130, [])


def test_a_template_that_cannot_be_reached_is_the_machine_s_fault(app: Path, template: Path, dockertpl: Run) -> None:
    template.rename(template.parent / "moved")
    assert dockertpl("update", app).code == 3


def test_what_is_said_as_json_is_json(app: Path, dockertpl: Run) -> None:
    result = dockertpl("update", app, "--dry-run", "--json").json
    assert json.dumps(result)
    assert next(iter(result)) == "schema"
    assert result["would_write"] == [".copier-answers.yml", "Dockerfile"]
    assert result["would_remove"] == ["gone.txt"]


def test_where_the_template_cannot_be_reached_the_advice_is_what_goes_without(
    app: Path, template: Path, dockertpl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.rename(template.with_name("moved"))
    before = read_tree(app)
    done = dockertpl("update", app)
    assert (done.code, read_tree(app)) == (3, before)
    assert "It is a path" in done.err
    assert "network" not in done.err

    def unreachable(url: str, _directory: Path) -> None:
        raise NoGitError(f"git clone failed: {url} is not reached")

    monkeypatch.setattr("dockertpl.git.clone", unreachable)
    _edit(app, f"_src_path: {template}\n", "_src_path: https://template.invalid/x.git\n", ".copier-answers.yml")
    assert "Try again with a network." in dockertpl("update", app).err
    done = dockertpl("update", app, "-d", "port=8123")
    assert ":current:" not in done.err, "that would need it too"
    own = bundled()
    _edit(app, "_commit: v1.0.0\n", f"_commit: {own.commit}\n", ".copier-answers.yml")
    _edit(app, "https://template.invalid/x.git", PUBLISHED, ".copier-answers.yml")
    assert "add --to :current:" in dockertpl("update", app, "-d", "port=8123").err


def test_a_rehearsal_of_stop_names_nothing_that_would_be_written(app: Path, dockertpl: Run) -> None:
    _edit(app, "line 3\n", "mine\n")
    done = dockertpl("update", app, "--conflict", "stop", "--dry-run")
    assert done.code == 1
    assert "Dockerfile: conflict; nothing would be written\n" in done.err
    assert ".rej" not in done.err + done.out
    result = dockertpl("update", app, "--conflict", "stop", "--dry-run", "--json").json
    assert (result["would_write"], result["would_remove"], result["conflicts"]) == ([], [], ["Dockerfile"])
    (app / "Dockerfile.rej").write_text("of an earlier update\n")
    assert dockertpl("update", app, "--conflict", "stop").code == 1, "no .rej is in its way"


@pytest.mark.parametrize("folder", [".", "sub dir", ".."])
def test_what_is_to_be_typed_holds_in_the_folder_that_one_is_in(
    app: Path, folder: str, dockertpl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (app / "sub dir").mkdir()
    (app / "Dockerfile").write_text("not committed\n")
    monkeypatch.chdir(app / folder)
    done = dockertpl("update", app)
    (command,) = [line.strip() for line in done.err.splitlines() if line.startswith("  git")]
    subprocess.run(f"{command} --message mine", shell=True, check=True, capture_output=True)
    done = dockertpl("update", app)
    assert done.code == 1
    command = done.err.partition("resolve, then ")[2].splitlines()[0]
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert not git(app, "ls-files", "--unmerged")
