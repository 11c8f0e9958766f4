from __future__ import annotations

from pathlib import Path

import pytest
from tests.wizard import repositories

from dockertpl.errors import BadAnswerError, NotDetectedError
from dockertpl.scaffold.detected import Detected, candidates, look, missing
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled

TEMPLATE = Template(bundled())


def test_answers_come_with_where_they_were_read(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    found = look(TEMPLATE, root, given={}, in_file={})
    assert found.answers["app"] == "app.main:app"
    assert found.evidence["app"] == "app/main.py:3"
    assert found.problem is None


def test_an_application_that_is_not_there_is_an_error_or_a_fact(tmp_path: Path) -> None:
    with pytest.raises(NotDetectedError):
        look(TEMPLATE, tmp_path, given={}, in_file={})
    found = look(TEMPLATE, tmp_path, given={}, in_file={}, go_on=True)
    assert found.problem is not None
    assert found.answers == {}


def test_a_bad_answer_is_the_more_useful_error(tmp_path: Path) -> None:
    with pytest.raises(BadAnswerError, match="prot"):
        look(TEMPLATE, tmp_path, given={"prot": "1"}, in_file={}, go_on=True)


@pytest.mark.parametrize("app_dir", ["../x", "/etc", "a\x00b", 3])
def test_a_folder_that_leads_out_is_not_looked_at(app_dir: object, tmp_path: Path) -> None:
    assert look(TEMPLATE, tmp_path, given={"app_dir": app_dir}, in_file={}) == Detected()


def test_what_an_error_offers_is_read_from_its_remedy() -> None:
    problem = NotDetectedError("Two.", "Choose one:\n-d kind=a -d 'app_dir=b c'  (b/x.py:2)\nOr none.")
    assert candidates(problem) == [("-d kind=a -d 'app_dir=b c'  (b/x.py:2)", {"kind": "a", "app_dir": "b c"})]


def test_all_that_is_missing_is_one_error_with_each_remedy_once() -> None:
    error = missing({"a": ("No a.", "Do it."), "b": ("No b.", "Do it.")})
    assert error.message.splitlines()[1:] == ["  a: No a.", "  b: No b."]
    assert error.remedy.splitlines()[0] == "Do it."
    assert error.remedy.count("Do it.") == 1
