"""How a new version or `-d` changes stored answers. Every change is reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import releases

from dockertpl.errors import BadAnswerError, BadInputError
from dockertpl.merge.new_answers import Difference, carried, stored_answers
from dockertpl.template.versions import Pair, Versions

STORED = {"kind": "small", "name": "app", "app_dir": ".", "flavor": "slim", "label": "of slim"}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return releases.make(tmp_path / "template")


@pytest.fixture
def pair(template: Path) -> Iterator[Pair]:
    with Versions() as versions:
        yield versions.pair({"_src_path": str(template), "_commit": "v1.0.0"}, "answers", None)


def _difference(pair: Pair, stored: dict[str, str], data: dict[str, str] | None = None) -> Difference:
    return carried(pair, stored, data or {}, folder_name="app", where="answers")[2]


def test_where_answers_are_from_is_none_of_them() -> None:
    assert stored_answers({"_commit": "v1", "kind": "small"}) == {"kind": "small"}


def test_still_valid_answers_are_not_a_difference(pair: Pair) -> None:
    empty: dict[str, str] = {}
    assert _difference(pair, STORED) == Difference(added=empty, removed=empty, changed={}, reset={}, not_recomputed={})


def test_a_choice_that_is_gone_is_reset(pair: Pair) -> None:
    assert _difference(pair, {**STORED, "flavor": "alpine"}).reset == {"flavor": ("alpine", "slim")}


def test_a_new_answer_replaces_the_old_one(pair: Pair) -> None:
    difference = _difference(pair, {**STORED, "flavor": "alpine"}, {"flavor": "tiny"})
    assert (difference.reset, difference.changed) == ({}, {"flavor": ("alpine", "tiny")})


def test_a_changed_default_is_reported_and_the_old_answer_is_kept(pair: Pair) -> None:
    assert _difference(pair, STORED, {"flavor": "tiny"}).not_recomputed == {"label": ("of slim", "of tiny")}
    assert _difference(pair, {**STORED, "label": "mine"}, {"flavor": "tiny"}).not_recomputed == {}


def test_new_and_removed_questions_are_reported(pair: Pair) -> None:
    stored = {**STORED, "old": "1"}
    del stored["label"]
    difference = _difference(pair, stored)
    assert (difference.added, difference.removed) == ({"label": "of slim"}, {"old": "1"})


@pytest.mark.parametrize("key", ["kind", "name", "app_dir"])
def test_what_makes_an_image_this_one_stays(pair: Pair, key: str) -> None:
    with pytest.raises(BadInputError, match=key):
        _difference(pair, STORED, {key: "other"})


def test_a_bad_answer_is_refused(pair: Pair) -> None:
    with pytest.raises(BadAnswerError):
        _difference(pair, STORED, {"flavor": "huge"})
