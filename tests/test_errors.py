from __future__ import annotations

import inspect

import pytest

from dockertpl import errors
from dockertpl.errors import DestinationError, DockertplError, TemplateError

CLASSES = [member for _, member in inspect.getmembers(errors, inspect.isclass) if issubclass(member, DockertplError)]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_ends_with_a_code_of_the_contract_and_says_what_it_is(cls: type[DockertplError]) -> None:
    assert cls.exit_code in (1, 2, 3, 130)
    assert cls.__doc__
    assert cls("what").as_json() == {"code": cls.code, "message": "what", "remedy": cls.usual_remedy}


def test_no_two_errors_share_a_word() -> None:
    assert len({cls.code for cls in CLASSES}) == len(CLASSES)


def test_an_error_carries_advice_and_facts() -> None:
    error = DestinationError("x is a link.", "Move it.", paths=["x"])
    assert (str(error), error.remedy, error.data) == ("x is a link.", "Move it.", {"paths": ["x"]})
    assert TemplateError("x").remedy
    assert TemplateError("x", "Mine.").remedy == "Mine."
