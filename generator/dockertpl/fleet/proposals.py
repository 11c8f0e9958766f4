"""Adds to a row what the forge knows of its pull request."""

from __future__ import annotations

from dataclasses import replace

from dockertpl.fleet import branch
from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.model import Row
from dockertpl.fleet.plan import PlanItem


def with_proposal(item: PlanItem, forge: Forge) -> Row:
    """Return an item's row with the open pull request of its image, if there is one.

    Args:
        item: The item.
        forge: Its repository's forge.

    Raises:
        ForgeError: The forge refuses or cannot be reached.
    """
    row = item.row
    proposal = forge.proposal(item.repository.slug, branch.name_of(row.image, row.answers_file))
    if proposal is None or proposal.state == "merged":
        return row
    if proposal.state == "closed":
        return replace(row, notes=(*row.notes, f"a person closed {proposal.url}"))
    return replace(row, proposal=proposal.url, state="pr-open" if row.state == "outdated" else row.state)
