"""Renovate finds the files that a wheel wrote, and updates them as Copier and `dockertpl update` do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from tests import wheels
from tests.parity import ROOT, read_tree

from dockertpl.template.source import PUBLISHED

from . import bot
from .forge import Forge, serving

pytestmark = pytest.mark.engine
REPOSITORY = "acme/shop"
ONE = {".": "shop"}
# More than Renovate's default of two pull requests an hour.
SEVERAL = {"services/api": "api", "services/web": "web", "services/jobs": "jobs"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of version N-1, unpacked for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = wheels.build(WheelBuilder, wheels.copy_source(folder / "source"), folder)
    return wheels.unpack(wheel, folder / "unpacked")


@pytest.fixture
def template(unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template's repository with the tag N. Git uses it for the URL in answers files."""
    published = wheels.publish(unpacked, tmp_path / "published")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{published}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", PUBLISHED)
    monkeypatch.setenv("COPIER_CACHE_DIR", str(tmp_path / "copier"))
    return published


@pytest.fixture
def dockertpl(unpacked: Path) -> Callable[..., int]:
    """`dockertpl(FOLDER, ARGUMENT, …)` runs the wheel's command and returns its result."""

    def run(folder: Path, *arguments: str) -> int:
        command = [sys.executable, "-m", "dockertpl", *arguments]
        environ = {**os.environ, "PYTHONPATH": str(unpacked)}
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True).returncode

    return run


@pytest.fixture
def forge(template: Path, tmp_path: Path) -> Iterator[Forge]:
    with serving(tmp_path / "forge") as forge:
        forge.add(bot.TEMPLATE, template)
        yield forge


def _scaffold(folder: Path, images: Mapping[str, str], dockertpl: Callable[..., int], git: Callable[..., str]) -> Path:
    """Make a repository with images that the wheel wrote, the preset, and manual edits."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for place, name in images.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        new = ("new", place, "--defaults", "--no-detect", "-d", f"name={name}", "--update-bot", "renovate")
        assert dockertpl(folder, *new) == 0
        dockerfile = folder / place / "Dockerfile"
        dockerfile.write_text(dockerfile.read_text() + f"# mine, of {name}\n")
    return _commit(folder, git)


def _commit(folder: Path, git: Callable[..., str]) -> Path:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "mine")
    return folder


@pytest.mark.parametrize("images", [ONE, SEVERAL], ids=["one", "several"])
def test_all_three_find_the_tag_and_make_the_same_of_it(
    images: dict[str, str],
    forge: Forge,
    template: Path,
    tmp_path: Path,
    dockertpl: Callable[..., int],
    git: Callable[..., str],
) -> None:
    ours = _scaffold(tmp_path / "ours", images, dockertpl, git)
    if images == SEVERAL:
        # A common setting for releases that a tag does not support.
        settings = json.loads((ours / "renovate.json").read_text())
        (ours / "renovate.json").write_text(json.dumps({**settings, "minimumReleaseAge": "3 days"}))
        _commit(ours, git)
    theirs = shutil.copytree(ours, tmp_path / "theirs")
    repository = forge.add(REPOSITORY, ours)
    answers = sorted(path.name for path in ours.glob(".copier-answers*"))
    assert len(answers) == len(images)

    assert dockertpl(ours, "update") == 0
    for name in answers:
        copier = [sys.executable, "-m", "copier", "update", "--defaults", "--quiet", "--answers-file", name]
        subprocess.run(copier, cwd=theirs, check=True, capture_output=True)
        _commit(theirs, git)
    done = bot.run(forge, REPOSITORY, template, tmp_path / "home")
    assert done.code == 0, done.log

    # A pull request for each image, with its name, and one issue: the dashboard.
    suffixes = {"": ""} if images == ONE else {f" of {name}": f"-{name}" for name in images.values()}
    assert {(pull["title"], pull["head"]) for pull in repository.pulls} == {
        (f"Update dockertpl template{of} to {wheels.NEXT}", f"renovate/dockertpl-template{suffix}")
        for of, suffix in suffixes.items()
    }
    assert {tuple(pull["labels"]) for pull in repository.pulls} == {(1, 2)}
    wanted = [f"POST /repos/{REPOSITORY}/pulls"] * len(images) + [f"POST /repos/{REPOSITORY}/issues"]
    assert [call for call in forge.created() if not call.endswith("/statuses/N")] == wanted
    statuses = {(one["context"], one["status"]) for of_one in repository.statuses.values() for one in of_one}
    assert statuses == (set() if images == ONE else {("renovate/stability-days", "success")})

    merged = tmp_path / "merged"
    git(tmp_path, "clone", "--quiet", str(repository.path), str(merged))
    for pull in repository.pulls:
        git(merged, "merge", "--quiet", "--no-edit", f"origin/{pull['head']}")
    tree = read_tree(merged)
    assert tree == read_tree(theirs) == read_tree(ours)
    for place, name in images.items():
        assert f"# mine, of {name}\n" in (merged / place / "Dockerfile").read_text()
        assert (merged / place / "motto.sh").stat().st_mode & 0o111
    assert not (merged / ".github").exists()
    assert all(f"_commit: {wheels.NEXT}\n".encode() in tree[name].content for name in answers)

    # A second run before the merge repeats nothing.
    before = {pull["head"]: repository.sha(pull["head"]) for pull in repository.pulls}
    forge.seen.clear()
    assert bot.run(forge, REPOSITORY, template, tmp_path / "home").code == 0
    assert not [line for line in forge.created() if line.startswith("POST")]
    assert {head: repository.sha(head) for head in before} == before


def test_a_conflict_is_a_red_pull_request(
    forge: Forge, template: Path, tmp_path: Path, dockertpl: Callable[..., int], git: Callable[..., str]
) -> None:
    ours = _scaffold(tmp_path / "ours", ONE, dockertpl, git)
    dockerfile = ours / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("# Add your own lines", "# Ours go"))
    repository = forge.add(REPOSITORY, _commit(ours, git))

    assert bot.run(forge, REPOSITORY, template, tmp_path / "home").code == 0
    assert dockertpl(ours, "update") == 1

    (pull,) = repository.pulls
    (statuses,) = repository.statuses.values()
    assert {(status["context"], status["status"]) for status in statuses} == {("renovate/artifacts", "failure")}
    (comment,) = pull["comments"]
    assert "* Dockerfile" in comment["body"]
    # Only the red status keeps the markers out of the main branch.
    assert "<<<<<<< before updating\n" in repository.git("show", f"{pull['head']}:Dockerfile")


def test_renovate_takes_the_preset_as_it_is(tmp_path: Path) -> None:
    shutil.copy(ROOT / "default.json", tmp_path)
    strict = [*bot.command("renovate-config-validator"), "--strict", "--no-global", "default.json"]
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LOG_FORMAT": "json"}
    done = subprocess.run(strict, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Config validated successfully" in [json.loads(line)["msg"] for line in done.stdout.splitlines()][-1]
