"""`--baseline` compares with figures in a file, or with a commit that is built in another folder."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dockertpl.commands import baseline
from dockertpl.commands.budgets import Figures
from dockertpl.commands.dockerfile_to_build import Subject, locate
from dockertpl.errors import BadInputError, BuildFailedError

ANSWERS = "kind: python-fastapi\nname: shop\napp_dir: services/shop\n"


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(root: Path, files: Mapping[str, str]) -> str:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A commit")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, {"Dockerfile": "FROM scratch\n", "menu": "old\n"})
    (root / "menu").write_text("new\n")
    return root


def seen(named: str, destination: Path, dockerfile: Path | None = None) -> tuple[Subject, dict[str, str]]:
    """Return the subject of a baseline build, and the files of its context."""
    found: list[tuple[Subject, dict[str, str]]] = []

    def measure(subject: Subject, name: str) -> Figures:
        assert name == named
        files = {str(path.relative_to(subject.context)): path for path in subject.context.rglob("*")}
        found.append((subject, {path: file.read_text() for path, file in files.items() if file.is_file()}))
        return Figures(name=name, bytes=1, ready=None, layers=[])

    subject = locate(destination, dockerfile)
    with baseline.opened(named, subject, destination, dockerfile, quiet=True) as figures_of:
        assert figures_of(measure) == Figures(name=named, bytes=1, ready=None, layers=[])
    return found[0]


def test_nothing_is_compared_without_a_baseline(repo: Path) -> None:
    with baseline.opened(None, locate(repo), repo, None, quiet=True) as figures_of:
        assert figures_of(lambda subject, name: pytest.fail("built")) is None


def test_a_commit_is_built_from_its_own_files_and_the_repository_stays_as_it_is(repo: Path) -> None:
    before = git(repo, "status", "--porcelain", "--branch"), git(repo, "worktree", "list")
    subject, files = seen("main", repo)
    assert files == {"Dockerfile": "FROM scratch\n", "menu": "old\n"}
    assert not subject.context.exists()
    assert (git(repo, "status", "--porcelain", "--branch"), git(repo, "worktree", "list")) == before


def test_no_hook_and_no_filter_of_the_repository_runs(repo: Path) -> None:
    commit(repo, {".gitattributes": "menu filter=cook\n", "menu": "raw\n"})
    git(repo, "config", "filter.cook.smudge", f"touch {repo}/cooked; cat")
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {repo}/hooked\n")
    hook.chmod(0o755)
    assert seen("HEAD", repo)[1]["menu"] == "raw\n"
    assert not [name for name in ("cooked", "hooked") if (repo / name).exists()]


def test_a_branch_of_the_remote_is_found(repo: Path) -> None:
    git(repo, "update-ref", "refs/remotes/origin/release", "HEAD")
    assert seen("release", repo)[1]["menu"] == "old\n"


def test_an_image_in_a_folder_is_found_by_the_answers_of_that_commit(repo: Path) -> None:
    commit(repo, {"services/shop/Dockerfile": "FROM scratch\n", ".copier-answers.shop.yml": ANSWERS})
    for destination, dockerfile in ((repo / "services/shop", None), (repo, repo / "services/shop/Dockerfile")):
        subject, _ = seen("main", destination, dockerfile)
        assert (subject.name, subject.kind, subject.dockerfile.parent.name) == ("shop", "python-fastapi", "shop")


def test_files_of_git_lfs_are_taken_from_its_store(repo: Path) -> None:
    name = hashlib.sha256(b"large").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize 5\n"
    commit(repo, {"model.bin": pointer})
    with pytest.raises(BadInputError, match=r"model\.bin is in Git LFS") as caught:
        seen("main", repo)
    assert "git lfs fetch origin" in caught.value.remedy
    stored = repo / ".git" / "lfs" / "objects" / name[:2] / name[2:4] / name
    stored.parent.mkdir(parents=True)
    stored.write_text("large")
    assert seen("main", repo)[1]["model.bin"] == "large"


def test_a_commit_that_is_not_here_is_refused_with_how_to_fetch_it(repo: Path) -> None:
    with pytest.raises(BadInputError, match="no such file or commit") as caught:
        seen("release", repo)
    assert "git fetch --depth 1 origin release" in caught.value.remedy


def test_a_commit_without_such_an_image_is_refused(repo: Path) -> None:
    (repo / "other").mkdir()
    (repo / "other" / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(BadInputError, match="has no Dockerfile for other there"):
        seen("main", repo / "other")


def test_without_a_repository_only_a_file_works(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(BadInputError, match="not a Git repository"):
        seen("main", tmp_path)


def test_a_baseline_that_does_not_build_says_so(repo: Path) -> None:
    def measure(subject: Subject, name: str) -> Figures:
        raise BuildFailedError("RUN make failed.")

    with (
        pytest.raises(BuildFailedError, match=r"The baseline main does not build: RUN make failed\."),
        baseline.opened("main", locate(repo), repo, None, quiet=True) as figures_of,
    ):
        figures_of(measure)


def test_the_json_of_an_earlier_verify_is_a_baseline(tmp_path: Path) -> None:
    known: dict[str, Any] = {"schema": 1, "image_bytes": 5, "ready_seconds": 0.5}
    known["layers"] = [{"bytes": 5, "instruction": "COPY . /app"}]
    (file := tmp_path / "before.json").write_text(json.dumps(known))
    figures = baseline.from_file(file)
    assert (figures.name, figures.bytes, figures.ready) == ("before.json", 5, 0.5)
    assert [(layer.bytes, layer.instruction) for layer in figures.layers] == [(5, "COPY . /app")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"image_bytes": null, "ready_seconds": null, "layers": []}'])
def test_a_file_without_figures_is_refused(text: str, tmp_path: Path) -> None:
    (file := tmp_path / "before.json").write_text(text)
    with pytest.raises(BadInputError, match="no figures"):
        baseline.from_file(file)
