"""What becomes of one command of a RUN step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dockertpl.adopt.model import Treatment


@dataclass(frozen=True, kw_only=True)
class Request:
    """A system package that the old file installs.

    Attributes:
        line: Where.
        what: As written, with its version.
        name: Its name.
        alpine: It is Alpine's.
        final: The image has it.
        builds: What builds has it.
        passing: A later step removes it again, or it is in a group for the build alone.
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
    """What is known of a command, to be carried out if the step it is in is taken apart.

    Attributes:
        items: What it does: the thing, its outcome, and where it goes or why it is dropped.
        soft: It stays with its neighbours where one of those is kept as it is.
        state: It changes how the commands after it run, such as `cd`.
        passing: It only tidies up, so that a step without it is the same.
        packages: System packages.
        answers: The thing, the question, the answer and a note.
        exact: The same, in the place of what was answered before.
        kept: Lines for a region, by its name.
        doubts: Why a person has to look.
        facts: Names of what the new image does better.
        made: Folders that it makes.
        owned: Folders that it gives to the image's user.
        purged: Packages that it removes.
        installed: It installs the dependencies.
        built: It builds the application.
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
        """Tell whether it changes nothing but the report, so that it may stand in an `if`."""
        return not (self.packages or self.answers or self.exact or self.kept or self.doubts) and (
            self.passing or not self.soft
        )


def template(what: str, where: str, **more: Any) -> Verdict:
    """Return the verdict on what the template does anyway."""
    return Verdict(items=[(what, "template", where)], **more)


def dropped(what: str, why: str, **more: Any) -> Verdict:
    """Return the verdict on what is dropped."""
    return Verdict(items=[(what, "dropped", why)], **more)
