"""The change that an action would make to a user's file."""

from __future__ import annotations

from dataclasses import dataclass

from dockertpl.template.tree import File


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A change to a file.

    Attributes:
        path: Its path from the repository's root.
        old: The existing file, or None.
        new: The new file. Same as `old` if there is nothing to do, None if it cannot be changed.
        summary: What the change adds, or why it is not possible, in one sentence.
        by_hand: How to make the change by hand. May end in lines to add.
    """

    path: str
    old: File | None
    new: File | None
    summary: str
    by_hand: str

    @property
    def is_there(self) -> bool:
        """Whether nothing is left to do."""
        return self.new is not None and self.new == self.old

    @property
    def is_change(self) -> bool:
        """Whether the file would be written."""
        return self.new is not None and self.new != self.old
