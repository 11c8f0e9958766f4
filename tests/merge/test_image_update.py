"""The update of one image is planned without a disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from tests import releases

from dockertpl.merge.image_update import Upgrade, prepare, tree
from dockertpl.merge.update import Local
from dockertpl.template.answers import resolve
from dockertpl.template.tree import File
from dockertpl.template.versions import Pair, Versions

STORED = {"kind": "small", "name": "app", "app_dir": ".", "flavor": "slim", "label": "of slim"}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    template = releases.make(tmp_path / "template")
    with Versions() as versions:
        yield versions.pair({"_src_path": str(template), "_commit": "v1.0.0"}, "answers", None)


def _files(pair: Pair, answers_file: str = ".copier-answers.yml") -> dict[str, File]:
    return dict(tree(pair.old, resolve(pair.old, folder_name="app", stored=STORED), answers_file))


def _upgrade(pair: Pair, local: Mapping[str, File], answers_file: str = ".copier-answers.yml") -> Upgrade:
    def read(paths: Iterable[str]) -> Local:
        return {path: local[path] for path in paths if path in local}

    return prepare(answers_file, STORED, pair, read, data={}, folder_name="app", conflict="markers")


def test_files_as_they_were_rendered_become_the_new_version_s(pair: Pair) -> None:
    upgrade = _upgrade(pair, _files(pair))
    outcomes = {step.path: step.outcome for step in upgrade.steps}
    assert outcomes == {".copier-answers.yml": "updated", "Dockerfile": "updated", "gone.txt": "removed"}
    assert not upgrade.person_needed
    assert not upgrade.conflicts


def test_an_answers_file_keeps_the_name_that_it_has(pair: Pair) -> None:
    upgrade = _upgrade(pair, _files(pair, ".copier-answers.local.yml"), ".copier-answers.local.yml")
    assert [step.path for step in upgrade.steps] == [".copier-answers.local.yml", "Dockerfile", "gone.txt"]


def test_an_answers_file_is_never_one_with_markers(pair: Pair) -> None:
    files = _files(pair)
    content = files[".copier-answers.yml"].content.replace(b"_commit: v1.0.0\n", b"# local\n_commit: 'v1.0.0'\n")
    files[".copier-answers.yml"] = File(content=content)
    upgrade = _upgrade(pair, files)
    step = upgrade.steps[0]
    assert step.new is not None
    assert b"_commit: v3.0.0\n" in step.new.content
    assert b"<<<<" not in step.new.content
    assert upgrade.person_needed
    assert "by hand" in step.note


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("line", ["_commit: v1.0.0\n", "label: of slim\n"])
def test_a_comment_stays_above_an_answer_that_changes(pair: Pair, line: str, end: bytes) -> None:
    files = _files(pair)
    content = files[".copier-answers.yml"].content.replace(line.encode(), b"# Why.\n" + line.encode())
    files[".copier-answers.yml"] = File(content=content.replace(b"\n", end))
    upgrade = _upgrade(pair, files)
    step = upgrade.steps[0]
    assert step.new is not None
    key = line.split(":")[0].encode()
    assert end + b"# Why." + end + key + b":" in step.new.content
    assert step.new.content.count(b"\n") == step.new.content.count(end)
    assert (step.outcome, step.note, upgrade.person_needed) == ("merged", "", False)


def test_a_comment_above_a_removed_answer_moves_to_the_end(pair: Pair) -> None:
    files = _files(pair)
    content = files[".copier-answers.yml"].content.replace(
        b"_commit: v1.0.0\n", b"# One.\n_commit: 'v1.0.0'\n# Two.\nold: 1\n"
    )
    files[".copier-answers.yml"] = File(content=content)
    upgrade = _upgrade(pair, files)
    step = upgrade.steps[0]
    assert step.new is not None
    assert b"\n# One.\n_commit: v3.0.0\n" in step.new.content
    assert step.new.content.endswith(b"\n# Two.\n")
    assert upgrade.person_needed
    assert "by hand" in step.note
