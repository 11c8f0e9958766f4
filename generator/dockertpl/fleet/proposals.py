"""Add the open pull request to a row."""

from __future__ import annotations

from dataclasses import replace

from dockertpl.fleet import branch
from dockertpl.fleet.forges.base import Forge
from dockertpl.fleet.model import Row
from dockertpl.fleet.plan import PlanItem


def with_proposal(item: PlanItem, forge: Forge) -> Row:
    """Return an item's row with the image's open pull request.

    Raises:
        ForgeError: GitHub or GitLab refuses or cannot be reached.
    """
    row = item.row
    proposal = forge.proposal(item.repository.slug, branch.name_of(row.image, row.answers_file))
    if proposal is None or proposal.state == "merged":
        return row
    if proposal.state == "closed":
        return replace(row, notes=(*row.notes, f"{proposal.url} was closed by hand"))
    return replace(row, proposal=proposal.url, state="pr-open" if row.state == "outdated" else row.state)
