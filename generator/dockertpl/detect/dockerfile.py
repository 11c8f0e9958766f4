"""A small, tolerant reader of existing Dockerfiles: instructions with their line, stages, and words of a command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

# Longer commands are probably generated. Cut them.
_LONGEST = 16_384


class Instruction(NamedTuple):
    """One instruction: its name in capitals, the rest of it on one line, and the line where it begins."""

    name: str
    value: str
    line: int


class Stage(NamedTuple):
    """One stage: its base with the build arguments' defaults put in, and its instructions."""

    base: str
    name: str
    line: int
    instructions: tuple[Instruction, ...]

    def last(self, name: str) -> Instruction | None:
        """Return the stage's last instruction of that name, the one that counts for CMD and ENTRYPOINT."""
        return next((step for step in reversed(self.instructions) if step.name == name), None)

    def environment(self) -> dict[str, str]:
        """Return what ENV and ARG give a value to in this stage."""
        values: dict[str, str] = {}
        for step in self.instructions:
            if step.name in ("ENV", "ARG"):
                values |= _assignments(step.value)
        return values


@lru_cache(maxsize=64)
def instructions(text: str) -> tuple[Instruction, ...]:
    """Split a Dockerfile into instructions; continuation lines and heredocs are joined, comments dropped."""
    escape = "`" if re.match(r"(?:#.*\n)*#\s*escape\s*=\s*`", text, re.IGNORECASE) else "\\"
    found: list[Instruction] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        start = at
        parts: list[str] = []
        while at < len(lines):
            line = lines[at].strip()
            at += 1
            if not line or line.startswith("#"):
                start += not parts
                continue
            continues = line.endswith(escape)
            parts.append(line.removesuffix(escape).strip())
            if not continues:
                break
        joined = " ".join(part for part in parts if part)
        name, _, value = joined.partition(" ")
        for marker in re.findall(r"<<-?\s*[\"']?(\w+)[\"']?", value) if name.upper() in ("RUN", "COPY", "ADD") else ():
            body: list[str] = []
            while at < len(lines) and lines[at].strip() != marker:
                body.append(lines[at].strip())
                at += 1
            at += 1
            value += " ; " + " ; ".join(body)
        if re.fullmatch(r"[A-Za-z]+", name):
            found.append(Instruction(name.upper(), value.strip()[:_LONGEST], start + 1))
    return tuple(found)


@lru_cache(maxsize=64)
def stages(text: str) -> tuple[Stage, ...]:
    """Return a Dockerfile's stages in order; a base that is an earlier stage stays that stage's name."""
    arguments: dict[str, str] = {}
    found: list[tuple[Instruction, list[Instruction]]] = []
    for step in instructions(text):
        if step.name == "FROM":
            found.append((step, []))
        elif found:
            found[-1][1].append(step)
        elif step.name == "ARG":
            arguments |= _assignments(step.value)
    result = []
    for step, inside in found:
        given = [word for word in step.value.split() if not word.startswith("--")]
        name = given[2] if len(given) > 2 and given[1].upper() == "AS" else ""
        result.append(Stage(expand(given[0], arguments) if given else "", name, step.line, tuple(inside)))
    return tuple(result)


def base_of(stage: Stage, all_stages: Sequence[Stage]) -> Stage:
    """Follow a stage's base through earlier stages and return the one that starts from an image."""
    for _ in all_stages:
        below = next((other for other in all_stages if other.name and other.name.lower() == stage.base.lower()), None)
        if below is None or below == stage:
            return stage
        stage = below
    return stage


def last_base(text: str) -> str:
    """Return the base image of a Dockerfile's last stage as a note."""
    all_stages = stages(text)
    return f"FROM {base_of(all_stages[-1], all_stages).base}" if all_stages else "has no FROM"


def exposed(all_stages: Sequence[Stage]) -> tuple[int, int, str] | None:
    """Return the port of the last stage with its line, and `EXPOSE` or `ENV PORT`."""
    last = all_stages[-1]
    values = base_of(last, all_stages).environment() | last.environment()
    step = last.last("EXPOSE")
    ports = expand(step.value, values).split() if step else []
    if step and len(ports) == 1 and (number := re.fullmatch(r"(\d{1,5})(?:/tcp)?", ports[0])):
        return int(number[1]), step.line, "EXPOSE"
    if re.fullmatch(r"\d{1,5}", values.get("PORT", "")):
        lines = (one.line for one in last.instructions if one.name in ("ENV", "ARG") and "PORT" in one.value)
        return int(values["PORT"]), next(lines, last.line), "ENV PORT"
    return None


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace variables that have a value or a default (`${PORT:-8000}`). Others stay unchanged."""

    def value(match: re.Match[str]) -> str:
        return values.get(match[1] or match[3], match[2] if match[2] is not None else match[0])

    return re.sub(r"\$\{(\w+)(?::?-([^}]{0,200}))?\}|\$(\w+)", value, text)


def words(value: str) -> list[str]:
    """Return the words of a command in exec form (JSON) or shell form. The command of `sh -c` is split, too."""
    if value.lstrip().startswith("["):
        try:
            loaded = json.loads(value)
        except (ValueError, RecursionError):
            loaded = None
        if isinstance(loaded, list) and all(isinstance(word, str) for word in loaded):
            found: list[str] = []
            for word in loaded:
                after_c = bool(found) and re.fullmatch(r"-[a-z]*c", found[-1]) is not None
                found += split(word) if after_c else [word]
            return found
    return split(value)


def run_commands(text: str) -> list[tuple[list[str], int]]:
    """Return every command of a Dockerfile's RUN instructions: its words and the instruction's line."""
    return [(command, step.line) for step in instructions(text) if step.name == "RUN" for command in _commands(step)]


def _commands(step: Instruction) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for word in words(step.value):
        if word in ("&&", "||", "|", ";", "&"):
            found.append([])
        else:
            found[-1].append(word)
    return [command for command in found if command]


def split(text: str) -> list[str]:
    """Split a shell command into words, or at spaces if quotes do not match. `;`, `&&` and `|` are words."""
    if len(text) > _LONGEST:
        return text[:_LONGEST].split()
    spaced = re.sub(r"(&&|\|\|?|;)", r" \1 ", text)
    try:
        found = shlex.split(spaced)
    except ValueError:
        found = spaced.split()
    again: list[str] = []
    for word in found:
        after_c = bool(again) and re.fullmatch(r"-[a-z]*c", again[-1]) is not None and " " in word
        again += word.split() if after_c else [word]
    return again


def _assignments(value: str) -> dict[str, str]:
    """Read `A=1 B="2"`, the old `ENV A 1`, and ARG without a default."""
    if re.match(r"[A-Za-z_]\w*\s+[^=]*$", value):
        name, _, rest = value.partition(" ")
        return {name: rest.strip().strip("\"'")}
    pairs = (word.partition("=") for word in split(value))
    return {name: text for name, equals, text in pairs if equals}
