"""Each image gets the state that fits its situation."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import releases
from tests.fleet.fakes import Bench, local
from tests.releases import commit

from dockertpl.fleet.assess import glance, same_place
from dockertpl.fleet.model import Row

pytestmark = pytest.mark.slow


def _row(bench: Bench, root: Path, to: str = "v2.0.0") -> Row:
    (item,) = bench.plan(local(root), to=to)
    return item.row


@pytest.mark.parametrize(
    ("tag", "to", "state"),
    [("v1.0.0", "v2.0.0", "outdated"), ("v2.0.0", "v2.0.0", "up-to-date"), ("v2.0.0", "v1.0.0", "ahead")],
)
def test_the_version_says_what_there_is_to_do(tag: str, to: str, state: str, bench: Bench) -> None:
    row = _row(bench, bench.scaffold(tag=tag), to)
    assert (row.state, row.version, row.target) == (state, tag, to)


def _change(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    path.write_text(path.read_text().replace(old, new))


def _edit(root: Path) -> None:
    _change(root, "Dockerfile", "line 11\n", "line 11\nmine\n")


def _collide(root: Path) -> None:
    _change(root, "Dockerfile", "line 3\n", "my line\n")


def _keep(root: Path) -> None:
    _change(root, "gone.txt", "of the first", "mine, of the first")


def _tasks(root: Path) -> None:
    _change(root, ".copier-answers.yml", "_commit: v1.0.0", "_commit: v9.9.9")


def _link(root: Path) -> None:
    (root / "Dockerfile").unlink()
    (root / "Dockerfile").symlink_to("/etc/passwd")


def _strange(root: Path) -> None:
    _change(root, ".copier-answers.yml", "_src_path: ", "_src_path: https://elsewhere.invalid/")


def _nameless(root: Path) -> None:
    _change(root, ".copier-answers.yml", "_commit: v1.0.0\n", "")


def _no_yaml(root: Path) -> None:
    (root / ".copier-answers.yml").write_text("[" * 5000)


@pytest.mark.parametrize(
    ("edit", "state", "word"),
    [
        (_edit, "outdated", ""),
        (_collide, "conflicted", ""),
        (_keep, "lost-edits", "gone.txt was edited here"),
        (_tasks, "error", "v9.9.9"),
        (_link, "unsafe", "a link"),
        (_strange, "foreign", "uses another template: elsewhere.invalid/"),
        (_nameless, "unmanaged", "_commit"),
        (_no_yaml, "error", "not valid YAML"),
    ],
)
def test_manual_changes_have_their_own_state(edit: Callable[[Path], None], state: str, word: str, bench: Bench) -> None:
    root = bench.scaffold()
    edit(root)
    row = _row(bench, commit(root))
    assert row.state == state
    assert word in " ".join(row.notes)


def test_a_version_that_runs_programs_is_unsafe(bench: Bench) -> None:
    questions = releases.COPIER + releases.FLAVOR.format("slim")
    releases.release(bench.template, "v4.0.0", f"{questions}_tasks: [touch ran]\n", None)
    row = _row(bench, bench.scaffold(), "v4.0.0")
    assert row.state == "unsafe"


def test_an_answer_that_is_no_longer_accepted_is_reported(bench: Bench) -> None:
    row = _row(bench, bench.scaffold(flavor="alpine"), "v3.0.0")
    assert (row.state, row.reset) == ("answers-reset", ("flavor",))
    why = '"alpine" is not a choice: slim, tiny'
    assert row.notes == (f"the template no longer accepts flavor='alpine' ({why}); it is now 'slim'",)


def test_an_edit_of_the_same_version_does_not_make_it_outdated(bench: Bench) -> None:
    root = bench.scaffold(tag="v2.0.0")
    _edit(root)
    row = _row(bench, commit(root))
    assert (row.state, row.edited) == ("diverged", ("Dockerfile",))


def test_files_that_are_not_committed_are_said(bench: Bench) -> None:
    root = bench.scaffold()
    _edit(root)
    assert (_row(bench, root).state, _row(bench, root).uncommitted) == ("dirty", ("Dockerfile",))


def test_a_repository_without_an_image_differs_from_one_without_a_commit(bench: Bench) -> None:
    root = bench.folder / "plain"
    root.mkdir()
    os.system(f"git init --quiet {root}")
    assert _row(bench, root).state == "error"
    (root / "README.md").write_text("hello\n")
    assert _row(bench, commit(root)).state == "unmanaged"


def test_two_images_that_would_share_a_branch_are_an_error(bench: Bench) -> None:
    root = bench.scaffold()
    (root / ".copier-answers.other.yml").write_bytes((root / ".copier-answers.yml").read_bytes())
    rows = [item.row for item in bench.plan(local(commit(root)))]
    assert [row.state for row in rows].count("error") == 1
    assert any("same name" in note for row in rows for note in row.notes)


def test_at_a_glance_the_answers_files_alone_say_what_is_outdated(bench: Bench) -> None:
    root = bench.scaffold()
    texts = {".copier-answers.yml": (root / ".copier-answers.yml").read_text()}
    (row,) = glance(local(root), texts, bench.context().target, bench.versions)
    assert (row.state, row.image, row.changes) == ("outdated", "app", ())
    (row,) = glance(local(root), {}, bench.context().target, bench.versions)
    assert row.state == "unmanaged"


@pytest.mark.parametrize(
    "where",
    [
        "https://github.com/org/x.git",
        "https://token@GitHub.com/org/x",
        "git@github.com:org/x.git",
        "gh:org/x",
        "ssh://git@github.com/org/x/",
    ],
)
def test_spellings_of_one_place_are_one_place(where: str) -> None:
    assert same_place(where) == "github.com/org/x"


_NO_ANSWERS = {
    "an address that is none": "_src_path: https://[x\n_commit: v1.0.0\n",
    "a port that is none": "_src_path: https://host:99999999/x\n_commit: v1.0.0\n",
    "a tag's value that is none": "_src_path: !!timestamp x\n",
    "a version with a NUL": '_src_path: {template}\n_commit: "v1\\0"\n',
    "a number that is too long": f"_src_path: {{template}}\n_commit: v{'9' * 5000}\n",
}


@pytest.mark.parametrize("name", [b".copier-answers.x.yml", b".copier-answers.\xff.yml"])
@pytest.mark.parametrize("text", _NO_ANSWERS.values(), ids=_NO_ANSWERS)
def test_whatever_an_answers_file_says_the_other_images_are_seen(text: str, name: bytes, bench: Bench) -> None:
    root = bench.scaffold()
    text = text.format(template=bench.template)
    (root / os.fsdecode(name)).write_text(text)
    commit(root)
    rows = {item.row.answers_file: item.row for item in bench.plan(local(root))}
    assert rows.pop(".copier-answers.yml").state == "outdated"
    assert [row.state for row in rows.values()] in (["error"], ["foreign"])
    assert "Please report it" not in str(rows)
    (row,) = glance(local(root), {os.fsdecode(name): text}, bench.context().target, bench.versions)
    assert row.state in ("error", "foreign", "outdated", "ahead")


def test_nothing_is_proposed_for_a_folder_that_was_moved(bench: Bench, git: Callable[..., str]) -> None:
    root = bench.scaffold(app_dir="api")
    git(root, "mv", "api", "service")
    (item,) = bench.plan(local(commit(root)))
    assert (item.row.state, item.to_do) == ("error", False)
    assert item.row.notes == (".copier-answers.app.yml is for the folder api, which does not exist.",)


def test_a_template_is_known_by_whichever_path_leads_there(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    root = bench.scaffold()
    monkeypatch.chdir(root)
    assert same_place("../template") == same_place(str(bench.template)) == same_place("./../template/")
