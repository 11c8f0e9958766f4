from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fleet.test_markup import PARSER, _reaches_nobody
from tests.fleet.texts.updates import HOSTILE, hostile, upgrade

from dockertpl.fleet.texts.issue import body, title
from dockertpl.fleet.texts.marker import Marker, read, start
from dockertpl.fleet.texts.parts import LIMIT
from dockertpl.merge.update import ConflictMode

MODES: list[ConflictMode] = ["markers", "rej", "stop"]


@pytest.mark.parametrize("conflict", MODES)
def test_it_says_which_lines_of_which_files_and_what_to_run_and_holds_none_of_them(conflict: ConflictMode) -> None:
    text = body(upgrade(conflict), "app", digest="abc")
    assert "| <code>Dockerfile</code> | lines 7-8 |  |\n" in text
    assert "```sh\ndockertpl update --to v2.0.0\n```" in text
    assert "- The template no longer accepts `flavor` = `alpine` \\(it is gone\\). It is now `slim`." in text
    assert "`Dockerfile` conflicts" not in text
    for never in ("<<<<<<<", "=======", ">>>>>>>", "|||||||", "and more", "theirs"):
        assert never not in text
    assert "\n\n\n" not in text
    assert read(text) == Marker(".copier-answers.yml", "v2.0.0", "abc")
    assert start(".copier-answers.yml") in text


def test_the_way_of_showing_conflicts_makes_no_other_text() -> None:
    assert len({body(upgrade(conflict), "app", digest="abc") for conflict in MODES}) == 1


def test_without_a_conflict_it_says_what_else_is_to_be_decided() -> None:
    calm = upgrade()
    calm = replace(calm, steps=tuple(step for step in calm.steps if not step.is_conflict))
    text = body(calm, "app", digest="abc")
    assert "| File |" not in text
    assert "The update needs your decision." in text
    assert "\n\n\n" not in text


def test_hostile_text_stays_in_its_place_and_notifies_no_one() -> None:
    text = body(hostile(), HOSTILE, digest=HOSTILE)
    _reaches_nobody(text)
    assert PARSER.render(text).count("<td>") == 3
    assert "<details" not in PARSER.render(text)
    assert read(text) == Marker(HOSTILE, HOSTILE, HOSTILE)


def test_it_is_never_longer_than_a_forge_takes() -> None:
    conflict = next(step for step in upgrade().steps if step.is_conflict)
    many = tuple(replace(conflict, path=f"{number}{'`' * 150}", note="<" * 500) for number in range(500))
    text = body(replace(upgrade(), steps=many), "app", digest="abc")
    assert len(text.encode()) < LIMIT
    assert " more |" in text


def test_the_title_is_of_harmless_words() -> None:
    assert title(upgrade(), "app") == "Update image app to template v2.0.0 (needs a decision)"
    assert not set("@#\n`") & set(title(hostile(), HOSTILE))
