from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.errors import DestinationError
from dockertpl.template import answers_files

Write = Callable[[Path, Mapping[str, str]], Path]

OURS = "kind: python-fastapi\nname: api\napp_dir: services/api\n"


def _check(root: Path, *, name: str = "web", app_dir: str = "services/web") -> None:
    answers_files.check_new(root, answers_file=f".copier-answers.{name}.yml", name=name, app_dir=app_dir)


def test_a_second_image_with_another_name_and_folder_works(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {".copier-answers.api.yml": OURS})
    _check(tmp_path)


@pytest.mark.parametrize(
    ("other", "what"), [({"name": "api"}, "the name api"), ({"app_dir": "services/api"}, "the folder services/api")]
)
def test_a_name_and_a_folder_have_one_owner(
    tmp_path: Path, write_files: Write, other: dict[str, str], what: str
) -> None:
    write_files(tmp_path, {".copier-answers.api.yml": OURS})
    with pytest.raises(DestinationError, match=rf"\.copier-answers\.api\.yml already owns {what}") as caught:
        _check(tmp_path, **other)
    assert "dockertpl update -d KEY=VALUE --answers-file .copier-answers.api.yml" in caught.value.remedy


def test_the_root_s_own_answers_file_needs_no_option(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {".copier-answers.yml": "kind: x\nname: y\napp_dir: .\n"})
    with pytest.raises(DestinationError, match="owns the repository's root") as caught:
        _check(tmp_path, app_dir=".")
    assert "update -d KEY=VALUE\n" in caught.value.remedy


@pytest.mark.parametrize("content", ["_src_path: gh:other/template\n", "[", "- 1", ""])
def test_another_template_s_answers_file_is_not_replaced(tmp_path: Path, write_files: Write, content: str) -> None:
    write_files(tmp_path, {".copier-answers.yml": content})
    _check(tmp_path)
    with pytest.raises(DestinationError, match="belongs to another template") as caught:
        answers_files.check_new(tmp_path, answers_file=".copier-answers.yml", name="web", app_dir=".")
    assert "copier update -a" in caught.value.remedy


def test_all_answers_files_of_a_root_are_found(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {".copier-answers.b.yml": OURS, ".copier-answers.yml": "[", "sub/.copier-answers.yml": OURS})
    assert [(owner.path, owner.ours) for owner in answers_files.find(tmp_path)] == [
        (".copier-answers.b.yml", True),
        (".copier-answers.yml", False),
    ]
    assert answers_files.find(tmp_path / "nowhere") == []
