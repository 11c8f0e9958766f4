"""Which answers files a command works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockertpl.commands.chosen import chosen
from dockertpl.errors import BadInputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, folder in (("web", "."), ("api", "api")):
        path = tmp_path / (".copier-answers.yml" if folder == "." else f".copier-answers.{name}.yml")
        path.write_text(f"kind: k\nname: {name}\napp_dir: {folder}\n")
    (tmp_path / ".copier-answers.other.yml").write_text("_src_path: x\n")
    return tmp_path


def test_all_of_ours_or_the_folder_s_or_those_that_are_named(root: Path) -> None:
    assert chosen(root, None, root, ()) == [".copier-answers.api.yml", ".copier-answers.yml"]
    assert chosen(root, "api", root / "api", ()) == [".copier-answers.api.yml"]
    named = [Path(".copier-answers.yml"), root / ".copier-answers.yml"]
    assert chosen(root, None, root, named) == [".copier-answers.yml"]


@pytest.mark.parametrize("name", [".copier-answers.other.yml", "none.yml"])
def test_what_is_none_of_ours_is_refused_with_those_that_are(root: Path, name: str) -> None:
    with pytest.raises(BadInputError) as caught:
        chosen(root, None, root, [Path(name)])
    assert ".copier-answers.api.yml" in caught.value.remedy


def test_a_folder_without_an_image_is_told_so(root: Path) -> None:
    with pytest.raises(BadInputError, match="no answers file"):
        chosen(root, "web", root / "web", ())
