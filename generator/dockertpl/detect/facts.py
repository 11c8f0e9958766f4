"""The results of detection: values with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The place of a value.

    Attributes:
        path: The file, relative to the repository root. Empty if the value is not from a single file.
        line: The line, from 1, or None for the whole file.
        note: A short note about the place.
    """

    path: str = ""
    line: int | None = None
    note: str = ""

    @property
    def where(self) -> str:
        """Return `file:line`, `file`, or nothing."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A value and its place."""

    value: Any
    evidence: Evidence


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A question that the repository does not answer.

    Attributes:
        key: The question or fact.
        message: What is unknown, and why.
        remedy: The advice.
        blocks: Whether no default helps: every build fails without an answer or a change to the repository.
    """

    key: str
    message: str
    remedy: str = ""
    blocks: bool = False


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The facts about one application.

    Attributes:
        answers: The detected answers.
        evidence: The place of each answer.
        facts: Other facts, such as existing Dockerfiles, other members and other applications.
        unknown: The questions without an answer.
        warnings: Warnings about the image, each with its remedy.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    unknown: list[Unknown] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def answer(self, key: str, value: Any, path: str = "", line: int | None = None, note: str = "") -> None:
        """Record an answer with its evidence."""
        self.answers[key] = value
        self.evidence[key] = Evidence(path=path, line=line, note=note)

    def fact(self, key: str, value: Any, path: str = "", line: int | None = None, note: str = "") -> None:
        """Record a fact that does not answer a question. A key may have several."""
        self.facts.setdefault(key, []).append(Fact(value=value, evidence=Evidence(path=path, line=line, note=note)))

    def cannot_tell(self, key: str, message: str, remedy: str = "") -> None:
        """Record an unknown answer with a default that may be right."""
        self.unknown.append(Unknown(key=key, message=message, remedy=remedy))

    def cannot_build(self, key: str, message: str, remedy: str) -> None:
        """Record a problem that makes every build fail until you answer the question or change the repository."""
        self.unknown.append(Unknown(key=key, message=message, remedy=remedy, blocks=True))

    def warn(self, text: str) -> None:
        """Record a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def settle(self, given: Mapping[str, Any], order: Sequence[str]) -> None:
        """Drop answers that were given (except the folder), and sort the others."""
        answers = {key: self.answers[key] for key in order if key in self.answers}
        self.answers.clear()
        self.answers.update({key: value for key, value in answers.items() if key not in given or key == "app_dir"})
        for key in [key for key in self.evidence if key not in self.answers]:
            del self.evidence[key]
        self.unknown[:] = [unknown for unknown in self.unknown if unknown.key not in given]

    def lines(self) -> Iterator[tuple[str, Fact]]:
        """Yield every answer, then every other fact, under its key."""
        for key, value in self.answers.items():
            yield key, Fact(value=value, evidence=self.evidence[key])
        for key, facts in self.facts.items():
            for fact in facts:
                yield key, fact


class Served(NamedTuple):
    """One path.

    Attributes:
        path: The path.
        what: A page or route, or a file.
        source: Its source: a file with a line, or a file that is served unchanged.
    """

    path: str
    what: Literal["page", "file"]
    source: str
