from __future__ import annotations

import pytest

from dockertpl.actions.proposal import Proposal
from dockertpl.template.tree import File

OLD, NEW = File(content=b"old"), File(content=b"new")


@pytest.mark.parametrize(
    ("old", "new", "is_there", "is_change"),
    [(OLD, NEW, False, True), (None, NEW, False, True), (OLD, OLD, True, False), (OLD, None, False, False)],
)
def test_a_proposal_tells_what_is_left_to_do(
    old: File | None, new: File | None, is_there: bool, is_change: bool
) -> None:
    proposal = Proposal(path="a", old=old, new=new, summary="", by_hand="")
    assert (proposal.is_there, proposal.is_change) == (is_there, is_change)
