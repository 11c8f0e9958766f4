"""The result of reading an old Dockerfile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Treatment: TypeAlias = Literal["answer", "template", "kept", "dropped"]


@dataclass(frozen=True, kw_only=True)
class AdoptedItem:
    """One item of the old file, and its outcome.

    Attributes:
        line: Its line in the old file, or 0 for the ignore file.
        what: A package, port, variable, command, copied file, … Values of secrets are left out.
        outcome: `answer`, `template` (the template does the same), `kept` in a region, or `dropped`.
        where: The answer's name, the part of the template, the region's name, or the reason for dropping it.
        matters: Whether dropping it needs a confirmation, because the deployment may depend on it.
    """

    line: int
    what: str
    outcome: Treatment
    where: str
    matters: bool = False


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """The result of reading an old Dockerfile and its ignore file.

    Attributes:
        answers: The answers from the old file. Lists of packages include earlier answers.
        evidence: The place of each answer, such as `Dockerfile:12`.
        regions: The text for the regions of the new Dockerfile, by name.
        ignored: Patterns for the region `ignore` of the new ignore file.
        items: All items of the old files, in order.
        improvements: Improvements of the new image, each a sentence.
        doubts: Doubts that need a confirmation.
    """

    answers: dict[str, Any]
    evidence: dict[str, str]
    regions: dict[str, str]
    ignored: str
    items: tuple[AdoptedItem, ...]
    improvements: tuple[str, ...]
    doubts: tuple[str, ...]
