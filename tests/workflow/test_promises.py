"""Every rendered workflow keeps its promises, and every promise detects its faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import promises, rendering
from .mutations import NOTICED_BY, Mutation


@pytest.mark.parametrize("promise", promises.PROMISES, ids=lambda promise: promise.__name__)
def test_every_rendered_workflow_keeps_it(promise: Callable[[str], None]) -> None:
    general = promise in promises.GENERAL
    texts = rendering.all_workflows() if general else rendering.image_workflows()
    assert len(texts) > 1
    for text in texts:
        promise(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutation", "promise"), NOTICED_BY.items(), ids=[mutation.__name__ for mutation in NOTICED_BY]
)
def test_a_fault_is_noticed(mutation: Mutation, promise: Callable[[str], None]) -> None:
    for text in rendering.one_of_each_shape():
        broken = mutation(text)
        assert broken != text
        with pytest.raises(AssertionError):
            promise(broken)


def test_every_promise_has_a_fault_that_it_notices() -> None:
    assert set(NOTICED_BY.values()) == set(promises.PROMISES)
