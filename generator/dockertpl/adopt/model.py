"""What reading an old Dockerfile hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Treatment: TypeAlias = Literal["answer", "template", "kept", "dropped"]


@dataclass(frozen=True, kw_only=True)
class AdoptedItem:
    """One thing that the old file does, and what becomes of it.

    Attributes:
        line: Its line in the old file; 0 for what stands in the old ignore file.
        what: One package, port, variable, command, copied file, … A secret's value is never in it.
        outcome: `answer`, `template` (which does it anyway), `kept` in a region, or `dropped`.
        where: The answer's name, what of the template does it, the region's name, or why it is dropped.
        matters: Somebody has to agree to it first: what runs beside the image may depend on it.
    """

    line: int
    what: str
    outcome: Treatment
    where: str
    matters: bool = False


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What an old Dockerfile and its ignore file come to.

    Attributes:
        answers: Answers that the old file gives. Lists of packages hold what was answered before as well.
        evidence: For every key of `answers`, the place, such as `Dockerfile:12`.
        regions: The text for the marked regions of the new Dockerfile, by the region's name.
        ignored: Patterns for the region `ignore` of the new ignore file, a line each.
        items: Everything that the old files do, in their order.
        improvements: What the new image does better, each a plain sentence.
        doubts: Why a person has to look before anything is done.
    """

    answers: dict[str, Any]
    evidence: dict[str, str]
    regions: dict[str, str]
    ignored: str
    items: tuple[AdoptedItem, ...]
    improvements: tuple[str, ...]
    doubts: tuple[str, ...]
