"""Parse an old Dockerfile as Docker does, and keep the lines of each instruction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from dockertpl.adopt import plain_reader
from dockertpl.errors import BadInputError

#: Longer files are generated, and the time of Moby's parser grows quadratically.
LONGEST = 196_608
# The time of Moby's parser also grows quadratically with the length of a line.
_LONGEST_LINE = 8192
# fmt: off
_KNOWN = frozenset([
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
])
# fmt: on


@dataclass(frozen=True, kw_only=True)
class Step:
    """One instruction.

    Attributes:
        name: Its name in capitals.
        line: Its first line, from 1.
        flags: Its flags, such as `--from=builder`.
        words: Its arguments, or the command as one text in shell form.
        exec_form: Whether the arguments are a JSON list.
        text: Its lines in the file.
        comment: The comment lines directly above it.
        heredocs: The contents of its heredocs.
        inner: The instruction after ONBUILD.
    """

    name: str
    line: int
    flags: tuple[str, ...]
    words: tuple[str, ...]
    exec_form: bool
    text: str
    comment: str
    heredocs: tuple[str, ...]
    inner: str = ""

    @property
    def verbatim(self) -> str:
        """Return the instruction's lines with the comment above them."""
        return f"{self.comment}\n{self.text}" if self.comment else self.text

    def flag(self, name: str) -> str:
        """Return the value of a flag, or an empty string."""
        return next((flag.partition("=")[2] for flag in self.flags if flag.startswith(f"--{name}=")), "")


def steps(text: str, path: str) -> tuple[Step, ...]:
    """Read a Dockerfile.

    Args:
        text: The Dockerfile.
        path: Its path, for messages.

    Raises:
        BadInputError: The text is too long, or not a Dockerfile.
    """
    if len(text) > LONGEST:
        raise BadInputError(
            f"{path} is longer than {LONGEST // 1024} KiB, too long for a Dockerfile.",
            "Check the path, or convert the file by hand.",
        )
    if long := next((number for number, line in enumerate(text.split("\n"), 1) if len(line) > _LONGEST_LINE), None):
        raise BadInputError(
            f"{path}:{long} has more than {_LONGEST_LINE} characters, too many for a line.",
            "Check the path, or break the line.",
        )
    parser = _parser()
    try:
        commands = parser.parse_string(text)
    except parser.GoParseError as error:
        raise BadInputError(
            f"{path} is not a valid Dockerfile: {error}.", "Correct it, or continue without --adopt."
        ) from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    found = tuple(_step(command, lines) for command in commands)
    _check(found, path)
    return found


def _parser() -> Any:
    """Return Moby's parser, or the plain reader if it is not installed."""
    try:
        return import_module("dockerfile")
    except ImportError:
        return plain_reader


def _step(command: Any, lines: Sequence[str]) -> Step:
    begin = command.start_line - 1
    end = max(command.end_line, command.start_line)
    above = begin
    while above and lines[above - 1].lstrip().startswith("#") and not _is_directive(lines[above - 1]):
        above -= 1
    return Step(
        name=command.cmd.upper(),
        line=command.start_line,
        flags=tuple(command.flags),
        words=tuple(command.value),
        exec_form=bool(command.json),
        text="\n".join(line.rstrip() for line in lines[begin:end]),
        comment="\n".join(line.strip() for line in lines[above:begin]),
        heredocs=tuple(heredoc.content for heredoc in command.heredocs),
        inner=(command.sub_cmd or "").upper(),
    )


def _is_directive(line: str) -> bool:
    return re.match(r"\s*#\s*(?:syntax|escape|check)\s*=", line, re.IGNORECASE) is not None


def _check(found: Sequence[Step], path: str) -> None:
    for step in found:
        if step.name not in _KNOWN:
            raise BadInputError(f"{path}:{step.line}: {step.name} is not a Dockerfile instruction.", "Correct it.")
        if step.name == "FROM" and not step.words:
            raise BadInputError(f"{path}:{step.line}: FROM names no image.", "Correct it.")
    first = next((step for step in found if step.name != "ARG"), None)
    if first is None or first.name != "FROM":
        line = first.line if first else 1
        raise BadInputError(
            f"{path}:{line}: a Dockerfile must begin with FROM.", "Correct it, or continue without --adopt."
        )
