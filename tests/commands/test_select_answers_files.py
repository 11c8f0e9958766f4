"""Which answers files a command works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockertpl.commands.select_answers_files import chosen
from dockertpl.errors import BadInputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, folder in (("web", "."), ("api", "api")):
        path = tmp_path / (".copier-answers.yml" if folder == "." else f".copier-answers.{name}.yml")
        path.write_text(f"kind: k\nname: {name}\napp_dir: {folder}\n")
    (tmp_path / ".copier-answers.other.yml").write_text("_src_path: x\n")
    return tmp_path


def test_all_answers_files_are_selected_or_those_of_a_folder_or_the_named_ones(root: Path) -> None:
    assert chosen(root, None, root, ()) == [".copier-answers.api.yml", ".copier-answers.yml"]
    assert chosen(root, "api", root / "api", ()) == [".copier-answers.api.yml"]
    named = [Path(".copier-answers.yml"), root / ".copier-answers.yml"]
    assert chosen(root, None, root, named) == [".copier-answers.yml"]


@pytest.mark.parametrize("name", [".copier-answers.other.yml", "none.yml"])
def test_an_unknown_name_is_refused_with_the_list_of_known_ones(root: Path, name: str) -> None:
    with pytest.raises(BadInputError) as caught:
        chosen(root, None, root, [Path(name)])
    assert ".copier-answers.api.yml" in caught.value.remedy


def test_a_folder_without_an_image_is_an_error(root: Path) -> None:
    with pytest.raises(BadInputError, match="no dockertpl answers file"):
        chosen(root, "web", root / "web", ())


def test_one_that_cannot_be_read_is_not_passed_over(root: Path) -> None:
    (root / ".copier-answers.web.yml").write_text("<<<<<<< HEAD\nkind: k\n")
    with pytest.raises(BadInputError, match=r"\.copier-answers\.web\.yml is not valid YAML") as caught:
        chosen(root, None, root, ())
    assert "--answers-file .copier-answers.api.yml" in caught.value.remedy
    assert chosen(root, "api", root / "api", ()) == [".copier-answers.api.yml"]
    assert chosen(root, None, root, [Path(".copier-answers.api.yml")]) == [".copier-answers.api.yml"]


def test_one_that_is_meant_and_cannot_be_read_says_why(root: Path) -> None:
    (root / ".copier-answers.web.yml").write_text("<<<<<<< HEAD\nkind: k\n")
    with pytest.raises(BadInputError, match="is not valid YAML"):
        chosen(root, None, root, [Path(".copier-answers.web.yml")])
    with pytest.raises(BadInputError, match="is not valid YAML"):
        chosen(root, "web", root / "web", ())
