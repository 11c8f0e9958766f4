from __future__ import annotations

from tests.detect.questions import questions

from dockertpl.detect.python.conventions import FACTORY_RANKS, MODULE_RANKS, PYTHONS, QUESTIONS


def test_every_key_that_is_detected_is_a_question() -> None:
    assert set(QUESTIONS) <= set(questions())


def test_the_offered_pythons_are_those_of_the_question() -> None:
    choices = questions()["python_version"]["choices"]
    assert isinstance(choices, list)
    assert set(PYTHONS) == set(choices)
    assert PYTHONS[0] == questions()["python_version"]["default"]


def test_the_first_name_of_a_list_ranks_highest() -> None:
    assert max(MODULE_RANKS, key=MODULE_RANKS.__getitem__) == "main"
    assert max(FACTORY_RANKS, key=FACTORY_RANKS.__getitem__) == "create_app"
