"""What an action would do to one file that a person keeps: known before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

from dockertpl.template.tree import File


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What would be done to a file.

    Attributes:
        path: Its path from the repository's root.
        old: What is there, or None if nothing.
        new: What would be there; the same as `old` if nothing is to be done, None if nothing can be.
        summary: What would be there, or why it cannot, in one sentence.
        by_hand: How a person does it, as a sentence that may end in lines to add.
    """

    path: str
    old: File | None
    new: File | None
    summary: str
    by_hand: str

    @property
    def is_there(self) -> bool:
        """Whether there is nothing left to do."""
        return self.new is not None and self.new == self.old

    @property
    def is_change(self) -> bool:
        """Whether a file would be written."""
        return self.new is not None and self.new != self.old
