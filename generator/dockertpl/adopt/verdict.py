"""The verdict on one command of a RUN step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dockertpl.adopt.model import Treatment


@dataclass(frozen=True, kw_only=True)
class Request:
    """A system package that the old file installs.

    Attributes:
        line: Its line.
        what: Its text with the version.
        name: Its name.
        alpine: Whether it is an Alpine package.
        final: Whether the image has it.
        builds: Whether a build stage has it.
        passing: Whether a later step removes it, or it is in a group only for the build.
    """

    line: int
    what: str
    name: str
    alpine: bool
    final: bool
    builds: bool
    passing: bool = False


@dataclass(kw_only=True)
class Verdict:
    """The verdict on a command. It is carried out if the whole step is split.

    Attributes:
        items: Its items: the text, the outcome, and the place or reason.
        soft: Whether it stays in the step if another command there is kept.
        state: Whether it changes the commands after it, such as `cd`.
        passing: Whether it only cleans up.
        packages: System packages.
        answers: The text, the question, the answer and a note.
        exact: As `answers`, but these replace earlier answers.
        kept: Lines for regions by name.
        doubts: Doubts that need a confirmation.
        facts: Facts for data/improvements.toml.
        made: Folders that it creates.
        owned: Folders that it gives to the image's user.
        purged: Packages that it removes.
        installed: Whether it installs the dependencies.
        built: Whether it builds the application.
    """

    items: list[tuple[str, Treatment, str]] = field(default_factory=list)
    soft: bool = False
    state: bool = False
    passing: bool = False
    packages: list[Request] = field(default_factory=list)
    answers: list[tuple[str, str, Any, str]] = field(default_factory=list)
    exact: list[tuple[str, str, Any, str]] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    facts: set[str] = field(default_factory=set)
    made: list[str] = field(default_factory=list)
    owned: list[str] = field(default_factory=list)
    purged: set[str] = field(default_factory=set)
    installed: bool = False
    built: bool = False

    @property
    def plain(self) -> bool:
        """Return whether it only affects the report. Then it may be in an `if`."""
        return not (self.packages or self.answers or self.exact or self.kept or self.doubts) and (
            self.passing or not self.soft
        )


def template(what: str, where: str, **more: Any) -> Verdict:
    """Return the verdict for a command that the template covers."""
    return Verdict(items=[(what, "template", where)], **more)


def dropped(what: str, why: str, **more: Any) -> Verdict:
    """Return the verdict for a dropped command."""
    return Verdict(items=[(what, "dropped", why)], **more)
