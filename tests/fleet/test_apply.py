"""`apply` makes one branch and one pull request, repeats nothing on a second run, and overwrites no manual edits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fleet.fakes import Bench, FakeForge, local
from tests.releases import commit

from dockertpl import git as git_of_ours
from dockertpl.commands import update
from dockertpl.errors import BuildFailedError, ForgeError
from dockertpl.fleet import branch, checkout
from dockertpl.fleet.apply import ApplyOptions, apply
from dockertpl.fleet.model import Repository

pytestmark = pytest.mark.slow

Git = Callable[..., str]
BRANCH = "dockertpl/app"


def _bare(repository: Repository) -> Path:
    return Path(repository.location.removeprefix("file://"))


def _heads(folder: Path) -> str:
    done = subprocess.run(["git", "for-each-ref", "refs/heads"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def _collide(root: Path) -> None:
    path = root / "Dockerfile"
    path.write_text(path.read_text().replace("line 3\n", "my line\n"))


def _person(bench: Bench, repository: Repository, git: Git, *, amend: bool = False) -> str:
    """Commit to our branch by hand, and return the commit."""
    clone = bench.folder / "clone"
    git(bench.folder, "clone", "--quiet", "--branch", BRANCH, repository.location, str(clone))
    (clone / "Dockerfile").write_text("a person's\n")
    git(clone, "commit", "--quiet", "--all", *(("--amend", "--no-edit") if amend else ("--message", "mine")))
    git(clone, "push", "--quiet", "--force", "origin", BRANCH)
    return git(clone, "rev-parse", "HEAD")


def test_a_local_repository_gets_a_branch_and_its_work_tree_stays(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    (root / "notes.txt").write_text("not committed\n")
    before = git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")
    assert bench.run(local(root)).result == "branch"
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert "line three" in git(root, "show", f"{BRANCH}:Dockerfile")
    assert "_commit: v2.0.0" in git(root, "show", f"{BRANCH}:.copier-answers.yml")
    assert "gone.txt" not in git(root, "ls-tree", "--name-only", BRANCH)


def test_the_branch_is_what_update_writes(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    bench.run(local(root))
    update.run(destination=root, to="v2.0.0", data={}, answers_files=(), conflict="markers", dry_run=False, quiet=True)
    git(root, "add", "--all")
    assert git(root, "diff", "--cached", "--stat", BRANCH) == ""


def test_a_remote_repository_gets_a_branch_and_a_pull_request(bench: Bench, git: Git) -> None:
    repository = bench.remote()
    outcome = bench.run(repository)
    assert (outcome.result, outcome.url) == ("proposed", "org/app#1")
    assert "line three" in git(_bare(repository), "show", f"{BRANCH}:Dockerfile")
    assert git(_bare(repository), "rev-list", "--count", BRANCH) == "2"
    assert list((bench.folder / "scratch").glob("clone-*")) == []


def test_running_twice_changes_nothing_and_pushes_nothing(bench: Bench) -> None:
    repository = bench.remote()
    bench.run(repository)
    before, calls = _heads(_bare(repository)), list(bench.forge.calls)
    assert bench.run(repository).result == "unchanged"
    assert (_heads(_bare(repository)), bench.forge.calls) == (before, calls)


def test_the_same_update_is_the_same_commit(bench: Bench, git: Git) -> None:
    repository = bench.remote()
    bench.run(repository)
    first = git(_bare(repository), "rev-parse", BRANCH)
    git(_bare(repository), "branch", "-D", BRANCH)
    assert bench.run(repository).result == "updated"
    assert git(_bare(repository), "rev-parse", BRANCH) == first


def test_git_gets_a_valid_token_at_the_time_of_the_push(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    pushed: list[object] = []
    run = git_of_ours.run

    def settings(repository: Repository) -> Any:
        given.append(f"token {len(given)}")
        return {"http.https://forge.invalid/.extraHeader": given[-1]}

    def watched(*arguments: str, **options: Any) -> str:
        if arguments[0] == "push":
            pushed.extend((len(given), *options["settings"].values()))
        return run(*arguments, **options)

    monkeypatch.setattr(git_of_ours, "run", watched)
    planned = bench.plan(bench.remote())
    # Between a fetch and a push, there may be a build, or an hour's wait for another image's pull request.
    (outcome,) = apply(planned, replace(bench.context(), settings=settings), ApplyOptions())
    assert outcome.result == "branch"
    assert len(given) > 1
    assert pushed == [len(given), given[-1]]


def test_a_newer_version_takes_the_same_branch_and_pull_request(bench: Bench, git: Git) -> None:
    repository = bench.remote()
    bench.run(repository)
    assert bench.run(repository, to="v3.0.0").result == "updated"
    ((_, name, proposal),) = bench.forge.proposals.values()
    assert name == BRANCH
    assert "v3.0.0" in proposal.title
    assert "_commit: v3.0.0" in git(_bare(repository), "show", f"{BRANCH}:.copier-answers.yml")
    assert git(_bare(repository), "rev-list", "--count", BRANCH) == "2"


@pytest.mark.parametrize("amend", [False, True])
def test_a_manual_commit_on_our_branch_is_never_overwritten(amend: bool, bench: Bench, git: Git) -> None:
    repository = bench.remote()
    bench.run(repository)
    theirs = _person(bench, repository, git, amend=amend)
    for to in ("v2.0.0", "v3.0.0"):
        outcome = bench.run(repository, to=to)
        assert outcome.result == "pr-diverged"
    assert git(_bare(repository), "rev-parse", BRANCH) == theirs


def test_a_push_after_a_manual_push_is_refused(bench: Bench, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = bench.remote()
    bench.run(repository)
    theirs = ""
    make = branch.make

    def late(*arguments: Any, **options: Any) -> str:
        nonlocal theirs
        made = make(*arguments, **options)
        theirs = _person(bench, repository, git)
        return made

    monkeypatch.setattr(branch, "make", late)
    outcome = bench.run(repository, to="v3.0.0")
    assert outcome.result == "pr-diverged"
    assert "was moved during the run" in outcome.note
    assert git(_bare(repository), "rev-parse", BRANCH) == theirs


def test_a_branch_that_is_checked_out_is_left(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    bench.run(local(root))
    (item,) = bench.plan(local(root), to="v3.0.0")
    git(root, "worktree", "add", "--quiet", str(bench.folder / "tree"), BRANCH)
    before = git(root, "rev-parse", BRANCH)
    (outcome,) = bench.apply([item], to="v3.0.0")
    assert outcome.result == "pr-diverged"
    assert "checked out" in outcome.note
    assert git(root, "rev-parse", BRANCH) == before


def test_conflicts_are_reported_in_one_issue_without_a_branch(bench: Bench) -> None:
    repository = bench.remote(edit=_collide)
    for _ in range(2):
        outcome = bench.run(repository)
        assert (outcome.result, outcome.url) == ("reported", "org/app#i1")
    assert BRANCH not in _heads(_bare(repository))
    assert bench.forge.calls == ["report"]
    assert "<<<<<<<" not in bench.forge.issues[1][2].body


def test_conflicts_in_a_draft_have_no_markers_and_lose_nothing(bench: Bench, git: Git) -> None:
    repository = bench.remote(edit=_collide)
    assert bench.run(repository, on_conflict="draft").result == "proposed"
    assert bench.forge.proposals[1][2].draft
    shown = git(_bare(repository), "show", f"{BRANCH}:Dockerfile")
    assert "my line" in shown
    assert "<<<<<<<" not in shown
    assert "line three" in git(_bare(repository), "show", f"{BRANCH}:Dockerfile.rej")


def test_an_open_pull_request_is_a_draft_before_it_has_conflicts(
    bench: Bench, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = bench.remote()
    bench.run(repository)
    clone = bench.folder / "clone"
    git(bench.folder, "clone", "--quiet", repository.location, str(clone))
    _collide(clone)
    git(clone, "commit", "--quiet", "--all", "--message", "mine")
    git(clone, "push", "--quiet", "origin", "HEAD")
    move, drafts = branch.move, []

    def watched(*arguments: Any, **options: Any) -> None:
        drafts.append(bench.forge.proposals[1][2].draft)
        move(*arguments, **options)

    monkeypatch.setattr(branch, "move", watched)
    assert bench.run(repository, on_conflict="draft").result == "updated"
    assert drafts == [True]
    assert len(bench.forge.proposals) == 1


def test_conflicts_where_there_is_no_forge_make_nothing(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    _collide(root)
    outcome = bench.run(local(commit(root)))
    assert outcome.result == "conflicted"
    assert outcome.note == "conflicts in Dockerfile: dockertpl update --to v2.0.0"
    assert BRANCH not in _heads(root)


def test_of_a_repository_of_several_images_the_one_that_conflicts_is_named(bench: Bench) -> None:
    root = bench.scaffold(app_dir="services/app")
    path = root / "services" / "app" / "Dockerfile"
    path.write_text(path.read_text().replace("line 3\n", "my line\n"))
    outcome = bench.run(local(commit(root)))
    told = "dockertpl update --answers-file .copier-answers.app.yml --to v2.0.0"
    assert outcome.note == f"conflicts in services/app/Dockerfile: {told}"


def test_an_issue_is_closed_once_there_are_no_conflicts(bench: Bench, git: Git) -> None:
    repository = bench.remote(edit=_collide)
    bench.run(repository)
    clone = bench.folder / "clone"
    git(bench.folder, "clone", "--quiet", repository.location, str(clone))
    git(clone, "revert", "--no-edit", "HEAD")
    git(clone, "push", "--quiet", "origin", "HEAD")
    assert bench.run(repository).result == "proposed"
    assert [is_open for _, is_open, _ in bench.forge.issues.values()] == [False]


def test_an_issue_is_closed_after_a_manual_update(bench: Bench, git: Git) -> None:
    repository = bench.remote(edit=_collide)
    planned = bench.plan(repository)
    assert bench.apply(planned)[0].result == "reported"
    clone = bench.folder / "clone"
    git(bench.folder, "clone", "--quiet", repository.location, str(clone))
    update.run(destination=clone, to="v2.0.0", data={}, answers_files=(), conflict="rej", dry_run=False, quiet=True)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "mine")
    git(clone, "push", "--quiet", "origin", "HEAD")
    assert bench.apply(planned)[0].result == "unchanged"
    assert [is_open for _, is_open, _ in bench.forge.issues.values()] == [False]


class _NoIssues(FakeForge):
    status = 410

    def issue(self, slug: str, marker: str) -> Any:
        raise ForgeError("issues are issues are turned off", status=self.status)


@pytest.mark.parametrize(("status", "result"), [(410, "proposed"), (403, "proposed"), (502, "failed")])
def test_where_there_are_no_issues_none_has_to_be_closed(
    status: int, result: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_NoIssues, "status", status)
    planned = bench.plan(bench.remote())
    forge = _NoIssues(bare=bench.forge.bare)
    (outcome,) = apply(planned, bench.context(), ApplyOptions(forge=lambda each: forge))
    assert outcome.result == result


def test_a_pull_request_that_was_closed_by_hand_is_not_reopened(bench: Bench) -> None:
    repository = bench.remote()
    bench.run(repository)
    bench.forge.change(1, state="closed")
    assert bench.run(repository).result == "skipped"
    assert bench.run(repository, reopen=True).result == "proposed"
    bench.forge.change(2, state="closed")
    # Another version gets a new pull request.
    assert bench.run(repository, to="v3.0.0").result == "proposed"


def test_what_changed_since_the_plan_is_not_applied(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    planned = bench.plan(local(root))
    _collide(root)
    commit(root)
    (outcome,) = bench.apply(planned)
    assert (outcome.result, BRANCH in _heads(root)) == ("stale", False)


def test_what_was_merged_since_the_plan_is_done(bench: Bench, git: Git) -> None:
    root = bench.scaffold()
    planned = bench.plan(local(root))
    bench.apply(planned)
    git(root, "merge", "--quiet", BRANCH)
    (outcome,) = bench.apply(planned)
    assert outcome.result == "unchanged"


def test_a_branch_that_is_there_without_its_pull_request_gets_it(bench: Bench) -> None:
    repository = bench.remote()
    bench.run(repository)
    bench.forge.proposals.clear()
    before = _heads(_bare(repository))
    assert bench.run(repository).result == "proposed"
    assert _heads(_bare(repository)) == before


def _on_release(bench: Bench, repository: Repository, git: Git, path: str) -> Repository:
    """Add the branch `release` with one more commit. Return the repository with that start branch."""
    clone = bench.folder / "clone"
    git(bench.folder, "clone", "--quiet", repository.location, str(clone))
    git(clone, "switch", "--quiet", "--create", "release")
    with (clone / path).open("a") as file:
        file.write("# of the release\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "of the release")
    git(clone, "push", "--quiet", "origin", "release")
    return replace(repository, base="release")


@pytest.mark.parametrize("path", ["Dockerfile", "other.txt"])
def test_an_update_of_another_branch_is_merged_into_that_branch(path: str, bench: Bench, git: Git) -> None:
    repository = bench.remote()
    repository = replace(repository, base=git(_bare(repository), "symbolic-ref", "--short", "HEAD"))
    on_release = _on_release(bench, repository, git, path)
    for each in (repository, on_release, repository):
        assert bench.run(each).result in ("proposed", "updated")
        assert bench.run(each).result == "unchanged"
        assert bench.forge.proposals[1][2].base == each.base
        # The branch holds only the update.
        assert git(_bare(repository), "rev-list", "--count", f"{each.base}..{BRANCH}") == "1"
    assert len(bench.forge.proposals) == 1


def test_an_update_that_was_merged_and_reverted_is_proposed_again(bench: Bench, git: Git) -> None:
    repository = bench.remote()
    bench.run(repository)
    bench.forge.change(1, state="merged")
    clone = bench.folder / "clone"
    git(bench.folder, "clone", "--quiet", repository.location, str(clone))
    git(clone, "merge", "--quiet", "--no-ff", "--message", "merge", f"origin/{BRANCH}")
    git(clone, "revert", "--mainline", "1", "--no-edit", "HEAD")
    git(clone, "push", "--quiet", "origin", "HEAD")
    assert bench.run(repository).result == "proposed"
    # A forge opens no pull request for a branch with nothing to merge.
    assert git(_bare(repository), "rev-list", "--count", f"HEAD..{BRANCH}") == "1"
    assert bench.run(repository).result == "unchanged"


def test_an_image_that_does_not_run_is_not_pushed(bench: Bench) -> None:
    seen = []

    def fails(folder: Path, answers_file: str) -> Any:
        seen.append((folder / "Dockerfile").read_text())
        raise BuildFailedError("it does not build")

    repository = bench.remote()
    outcome = bench.run(repository, verify=fails)
    assert (outcome.result, "does not build" in outcome.note) == ("failed", True)
    assert "line three" in seen[0]
    assert BRANCH not in _heads(_bare(repository))
    assert bench.forge.calls == []


def test_figures_of_a_running_image_are_reported(bench: Bench) -> None:
    facts = {"built": True, "healthy": True, "build_seconds": 12.5, "ready_seconds": 0.6, "image_bytes": 10}
    bench.run(bench.remote(), verify=lambda folder, answers_file: facts)
    assert "12.5 s" in bench.forge.proposals[1][2].body


def test_a_repository_that_cannot_be_fetched_fails_alone(bench: Bench) -> None:
    repository = bench.remote()
    (item,) = bench.plan(repository)
    _bare(repository).rename(bench.folder / "away.git")
    (outcome,) = bench.apply([item])
    assert outcome.result == "failed"
    assert bench.forge.calls == []


def test_an_internal_error_fails_only_its_image(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = bench.plan(bench.remote())

    def stumbles(*arguments: Any, **options: Any) -> str:
        raise IndexError("what nobody thought of")

    monkeypatch.setattr(branch, "make", stumbles)
    (outcome,) = bench.apply(planned)
    assert (outcome.result, "what nobody thought of" in outcome.note) == ("failed", True)
    monkeypatch.undo()
    monkeypatch.setattr(checkout, "_remote", stumbles)
    (outcome,) = bench.apply(planned)
    assert (outcome.result, "what nobody thought of" in outcome.note) == ("failed", True)


class _Broken(FakeForge):
    def propose(self, slug: str, **fields: Any) -> Any:
        raise ForgeError("the forge is away")


def test_a_pull_request_that_fails_is_opened_by_the_next_run(bench: Bench) -> None:
    repository = bench.remote()
    (item,) = bench.plan(repository)
    broken = _Broken(bare=bench.forge.bare)
    (outcome,) = apply([item], bench.context(), ApplyOptions(forge=lambda each: broken))
    assert (outcome.result, "away" in outcome.note) == ("failed", True)
    before = _heads(_bare(repository))
    assert bench.apply([item])[0].result == "proposed"
    assert _heads(_bare(repository)) == before


def test_our_branches_share_one_prefix() -> None:
    assert branch.name_of("app", ".copier-answers.yml") == f"{checkout.BRANCHES}app"
    for strange in ("../x", "a b", "", "x" * 300, "-x", "a..b", "a.lock", "@{"):
        name = branch.name_of(strange, ".copier-answers.yml")
        subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=True)
