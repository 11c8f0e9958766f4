"""What detection hands back: values, each with the place that it was read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Where a value was read.

    Attributes:
        path: The file, seen from the repository's root; empty if the value follows from no single file.
        line: The line in it, from 1, or None if it is the file as a whole.
        note: What was seen there, in a few words.
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
    """One value and where it was read."""

    value: Any
    evidence: Evidence


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A question that the repository does not answer.

    Attributes:
        key: The question, or the fact.
        message: What could not be told, and why.
        remedy: What to do about it.
        blocks: Whether no default helps: without an answer, or a change to the repository, no build succeeds.
    """

    key: str
    message: str
    remedy: str = ""
    blocks: bool = False


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What is known of one application.

    Attributes:
        answers: Answers to the template's questions. A key that was not detected is absent.
        evidence: For every key of `answers`, where it was read.
        facts: What is known and answers no question (existing Dockerfiles, other members, other applications).
        unknown: What could not be told.
        warnings: What works against the image, each one sentence or two with its remedy.
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
        """Record a fact that answers no question; a key may have several."""
        self.facts.setdefault(key, []).append(Fact(value=value, evidence=Evidence(path=path, line=line, note=note)))

    def cannot_tell(self, key: str, message: str, remedy: str = "") -> None:
        """Record what could not be told, and has a default that may do."""
        self.unknown.append(Unknown(key=key, message=message, remedy=remedy))

    def cannot_build(self, key: str, message: str, remedy: str) -> None:
        """Record what keeps every build from succeeding, until the question is answered or the repository changed."""
        self.unknown.append(Unknown(key=key, message=message, remedy=remedy, blocks=True))

    def warn(self, text: str) -> None:
        """Record a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def settle(self, given: Mapping[str, Any], order: Sequence[str]) -> None:
        """Drop what somebody else has answered (all but the folder), and bring the answers into an order."""
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
        source: Where it is known from: a file with its line, or a file that is served as it is.
    """

    path: str
    what: Literal["page", "file"]
    source: str
