from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from tests.fleet.texts.updates import template, upgrade

from dockertpl.fleet.texts.parts import (
    OUTCOMES,
    command,
    files_address,
    origin,
    shown_within,
    template_link,
    within,
    word,
)
from dockertpl.merge.image_update import Upgrade
from dockertpl.merge.update import FileChange


def _of(source: str, version: str = "v2.0.0") -> Upgrade:
    made = upgrade()
    return replace(made, pair=replace(made.pair, new=template(version, source)))


def test_each_outcome_of_a_file_has_its_words() -> None:
    assert set(OUTCOMES) == set(get_args(FileChange))


@pytest.mark.parametrize(
    ("source", "shown", "linked", "files"),
    [
        (
            "gh:org/template",
            "https://github.com/org/template.git",
            "[`template`](<https://github.com/org/template>)",
            "https://github.com/org/template/blob/v2.0.0/",
        ),
        (
            "https://user:secret@gitlab.example.com/a/b.git",
            "https://gitlab.example.com/a/b.git",
            "[`b`](<https://gitlab.example.com/a/b>)",
            "https://gitlab.example.com/a/b/-/blob/v2.0.0/",
        ),
        ("https://git.example.com/t", "https://git.example.com/t", "[`t`](<https://git.example.com/t>)", ""),
        ("git@github.com:org/template.git", "github.com:org/template.git", "`template`", ""),
        ("ssh://user:secret@example.com/t.git", "ssh://example.com/t.git", "`t`", ""),
        ("../template/", "../template/", "`template`", ""),
    ],
)
def test_a_template_is_named_and_linked_without_credentials(source: str, shown: str, linked: str, files: str) -> None:
    assert origin(_of(source)) == shown
    assert template_link(_of(source)) == linked
    assert files_address(_of(source)) == files


def test_a_command_is_quoted_for_the_shell() -> None:
    assert command(_of("gh:org/t", "v1; rm -rf /")) == "dockertpl update --to 'v1; rm -rf /'"


def test_a_word_is_one_word_and_never_empty() -> None:
    assert word("fixes #1\n@bob") == "fixes__1__bob"
    assert word("") == "_"
    assert len(word("x" * 900)) == 60


def test_lines_are_kept_until_one_does_not_fit() -> None:
    assert within(["a", "é", "b", "c"], 5) == (["a", "é"], 2)
    assert within(["long line", "a"], 5) == ([], 2)


def test_as_many_lines_are_shown_as_fit_when_they_are_shown() -> None:
    assert shown_within("a\nb\nc\n", 100, str.upper) == ("A\nB\nC", False)
    assert shown_within("a\nb\nc\n", 9, lambda text: text.replace("\n", "----")) == ("a----b", True)
    assert shown_within("a\nb", 3, lambda text: f"[[{text}]]") == ("", True)
