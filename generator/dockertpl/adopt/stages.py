"""The stages of an old Dockerfile, and which of them the image uses."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockertpl.adopt.source import Step
from dockertpl.detect.dockerfile import expand

_FOR_DEVELOPMENT = re.compile(r"dev|development|test|tests|testing|lint|debug|ci", re.IGNORECASE)
_FOR_PRODUCTION = re.compile(r"prod|production|runner|release|runtime|final|app|web|server", re.IGNORECASE)


@dataclass(kw_only=True, eq=False)
class Stage:
    """One stage.

    Attributes:
        index: Its index, from 0.
        name: Its name, or an empty string.
        start: Its FROM.
        image: Its base image with the defaults of build arguments, or an earlier stage's name.
        below: The stage that it is based on, or None for an image.
        steps: Its instructions.
        final: Whether it is the image, or a base of it.
        builds: Whether the image copies from it.
        foreign: Whether it is based on another kind of image than the application.
    """

    index: int
    name: str
    start: Step
    image: str
    below: Stage | None
    steps: list[Step] = field(default_factory=list)
    final: bool = False
    builds: bool = False
    foreign: bool = False

    @property
    def reached(self) -> bool:
        """Return whether the image uses it."""
        return self.final or self.builds

    @property
    def root_image(self) -> str:
        """Return the base image below all stages."""
        return self.below.root_image if self.below else self.image

    @property
    def title(self) -> str:
        """Return its name for messages."""
        return f"the stage {self.name}" if self.name else f"the stage of line {self.start.line}"


def split(steps: Sequence[Step]) -> tuple[dict[str, str], list[Step], list[Stage]]:
    """Return the build arguments before the first FROM, their instructions, and the stages."""
    arguments: dict[str, str] = {}
    ahead: list[Step] = []
    stages: list[Stage] = []
    for step in steps:
        if step.name == "FROM":
            image = expand(step.words[0].strip("\"'"), arguments)
            name = step.words[2] if len(step.words) > 2 and step.words[1].upper() == "AS" else ""
            stages.append(
                Stage(
                    index=len(stages), name=name, start=step, image=image, below=named(stages, image, by_number=False)
                )
            )
        elif stages:
            stages[-1].steps.append(step)
        else:
            ahead.append(step)
            for name, value in pairs(step):
                if value is not None:
                    arguments[name] = expand(value.strip("\"'"), arguments)
    return arguments, ahead, stages


def named(stages: Sequence[Stage], name: str, *, by_number: bool = True) -> Stage | None:
    """Return the stage with a name, or with a number for COPY."""
    if by_number and name.isdigit():
        return stages[int(name)] if int(name) < len(stages) else None
    return next((stage for stage in reversed(stages) if stage.name and stage.name.lower() == name.lower()), None)


def pairs(step: Step) -> list[tuple[str, str | None]]:
    """Return the values of ENV, ARG or LABEL. The value is None for an ARG without a default."""
    if step.name == "ARG":
        split_ = (word.partition("=") for word in step.words)
        return [(name, value if equals else None) for name, equals, value in split_]
    return list(zip(step.words[::2], step.words[1::2], strict=False))


def choose(stages: Sequence[Stage], doubt: list[str]) -> Stage:
    """Return the stage that is the image, and mark the stages that it uses.

    Args:
        stages: The stages, at least one.
        doubt: Called with a doubt if several stages are possible.
    """
    used = {id(stage.below) for stage in stages if stage.below}
    used |= {id(source) for stage in stages for source in sources(stage, stages)}
    leaves = [stage for stage in stages if id(stage) not in used]
    last = stages[-1]
    serious = [stage for stage in leaves if not _FOR_DEVELOPMENT.fullmatch(stage.name or "prod")]
    if _FOR_DEVELOPMENT.fullmatch(last.name or "-"):
        candidates = [stage for stage in stages if _FOR_PRODUCTION.fullmatch(stage.name or "-")]
        chosen = candidates[-1] if candidates else last
        if chosen is not last:
            doubt.append(
                f"The last stage is called {last.name}, so {chosen.title} is adopted. Check that it is the one that "
                "you deploy."
            )
    else:
        chosen = last
        others = [stage for stage in serious if stage is not last]
        if others:
            names = ", ".join(stage.name or f"line {stage.start.line}" for stage in others)
            doubt.append(
                f"Several stages can be the image ({names}, and the last one, {last.title}): the last one is adopted."
            )
    _mark(chosen, stages)
    return chosen


def _mark(chosen: Stage, stages: Sequence[Stage]) -> None:
    below: Stage | None = chosen
    while below:
        below.final = True
        below = below.below
    waiting = [stage for stage in stages if stage.final]
    while waiting:
        stage = waiting.pop()
        more = sources(stage, stages) + ([stage.below] if stage.below else [])
        for source in more:
            if not source.builds and (not source.final or not stage.final):
                source.builds = True
                waiting.append(source)


def sources(stage: Stage, stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages that a stage copies or mounts from."""
    found = []
    for step in stage.steps:
        names = [step.flag("from")] if step.name in ("COPY", "ADD") else []
        if step.name == "RUN":
            names += [match[1] for flag in step.flags for match in re.finditer(r"[=,]from=([^,\s]+)", flag)]
        found += [source for name in names if name and (source := named(stages[: stage.index], name))]
    return found


@dataclass(frozen=True, kw_only=True)
class CodeCopy:
    """A copy from the build context: the sources relative to it, and the target in the image."""

    source: str
    target: str
    folder: bool


def values_at_start(stage: Stage, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return a stage's variables at its start, from the stage below it."""
    if stage.below is None:
        return {}
    found = values_at_start(stage.below, arguments)
    for step in stage.below.steps:
        note_values(step, found, arguments)
    return {name: value for name, value in found.items() if name not in _arguments_of(stage.below)}


def _arguments_of(stage: Stage) -> set[str]:
    names = {name for step in stage.steps if step.name == "ARG" for name, _ in pairs(step)}
    return names - {name for step in stage.steps if step.name == "ENV" for name, _ in pairs(step)}


def note_values(step: Step, values: dict[str, str], arguments: Mapping[str, str]) -> None:
    """Add the values of an ENV or ARG to the known variables."""
    if step.name not in ("ENV", "ARG"):
        return
    given = {
        name: arguments.get(name) if value is None else expand(unquoted(value), values) for name, value in pairs(step)
    }
    values |= {name: value for name, value in given.items() if value is not None}


def unquoted(value: str) -> str:
    """Return a value without the quotes around it."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.sub(r"\\(.)", r"\1", value)


def joined(folder: str, path: str) -> str:
    """Return a path in the image relative to a folder, without `.` and `..`."""
    return posixpath.normpath(posixpath.join(folder, path)).replace("//", "/")
