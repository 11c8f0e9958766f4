from __future__ import annotations

from pathlib import Path

import yaml

from dockertpl.detect.python.conventions import FACTORY_RANKS, MODULE_RANKS, PYTHONS, QUESTIONS

ROOT = Path(__file__).resolve().parents[3]


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!include", lambda loader, node: None)


def _questions() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for path in [ROOT / "copier.yml", *ROOT.glob("templates/kinds/*.yml"), *ROOT.glob("templates/*/**/questions.yml")]:
        for document in yaml.load_all(path.read_text(), Loader=_Loader):
            found |= document or {}
    return found


def test_every_key_that_is_detected_is_a_question() -> None:
    assert set(QUESTIONS) <= set(_questions())


def test_the_offered_pythons_are_those_of_the_question() -> None:
    choices = _questions()["python_version"]["choices"]
    assert isinstance(choices, list)
    assert set(PYTHONS) == set(choices)
    assert PYTHONS[0] == _questions()["python_version"]["default"]


def test_the_first_name_of_a_list_ranks_highest() -> None:
    assert max(MODULE_RANKS, key=MODULE_RANKS.__getitem__) == "main"
    assert max(FACTORY_RANKS, key=FACTORY_RANKS.__getitem__) == "create_app"
