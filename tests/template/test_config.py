from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from copier._template import load_template_config

from dockertpl.errors import TemplateError
from dockertpl.template.config import read

Write = Callable[[Path, Mapping[str, str]], Path]
ROOT = Path(__file__).resolve().parents[2]


def test_documents_and_includes_are_merged_as_by_copier(tmp_path: Path, write_files: Write) -> None:
    write_files(
        tmp_path,
        {
            "copier.yml": "_exclude: [a]\none: 1\ntwo: {type: str}\n---\n!include q/*.yml\n---\n"
            "- {three: x, one: {default: 9}}\n- - four: [x]\n---\n_exclude: [b]\n_secret_questions: [two]\n",
            "q/questions.yml": "five: {type: int, default: 5}\n---\nsix: {}\n",
        },
    )
    config = read(tmp_path)
    theirs = load_template_config(tmp_path / "copier.yml")
    assert list(config.questions) == [key for key in theirs if not key.startswith("_")]
    assert config.exclude == ("a", "b") == tuple(theirs["_exclude"])
    assert config.questions["one"] == {"default": 9}
    assert config.questions["four"] == {"default": ["x"]}
    assert config.questions["two"] == {"type": "str", "secret": True}


def test_this_template_s_questions_are_those_that_copier_reads() -> None:
    theirs = load_template_config(ROOT / "copier.yml")
    assert list(read(ROOT).questions.items()) == [item for item in theirs.items() if not item[0].startswith("_")]


@pytest.mark.parametrize("key", ["tasks", "migrations", "jinja_extensions", "external_data", "preserve_symlinks"])
def test_what_only_copier_runs_is_refused(tmp_path: Path, write_files: Write, key: str) -> None:
    write_files(tmp_path, {"copier.yml": f"_subdirectory: p\n_{key}: [x]\n"})
    with pytest.raises(TemplateError, match=key) as caught:
        read(tmp_path)
    assert "Copier" in caught.value.remedy


@pytest.mark.parametrize("pattern", ["../outside.yml", "/etc/hostname", "link.yml", "dir/../../outside.yml"])
def test_an_include_stays_in_the_template(tmp_path: Path, write_files: Write, pattern: str) -> None:
    root = write_files(tmp_path, {"outside.yml": "x: 1", "t/copier.yml": f"!include {pattern}\n", "t/dir/a": ""}) / "t"
    (root / "link.yml").symlink_to("../outside.yml")
    with pytest.raises(TemplateError, match=r"outside|leads out"):
        read(root)


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2", "!!python/object:os.system {}", "1: x", "\x00", "&a [*a]"])
def test_an_invalid_configuration_is_one_error(tmp_path: Path, write_files: Write, text: str) -> None:
    write_files(tmp_path, {"copier.yml": text})
    with pytest.raises(TemplateError):
        read(tmp_path)


def test_no_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"copier\.yml cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("setting", ["_subdirectory: [x]", "_envops: x", "_answers_file: {}"])
def test_a_setting_of_the_wrong_kind_is_named(tmp_path: Path, write_files: Write, setting: str) -> None:
    write_files(tmp_path, {"copier.yml": setting})
    with pytest.raises(TemplateError, match=setting.split(":")[0]):
        read(tmp_path)
