"""Three-way merge of a file, with pins that update bots move settled first.

A pin is a version, a commit or a digest that follows the name of an image or an action. Bots move pins in a
repository, and releases move them in the template. If both did, a plain merge has a conflict. So each pin first gets
the same value in all three texts. Then `git merge-file` merges the rest, as in Copier.

If one side moved a pin, that side's value wins. If both did, the newer value wins. If the order is unknown, the
repository's value wins. That is so for equal versions with different digests, commits without a version, and tags of
different kinds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple, TypeAlias

from dockertpl import git

Kind: TypeAlias = Literal["action", "image", "label", "digest"]
Side: TypeAlias = Literal["repository", "template"]

#: The labels in conflict markers for the repository's text, the old template's and the new one's, as in Copier.
LABELS = ("before updating", "last update", "after updating")

_DIGEST = r"sha256:[0-9a-f]{64}"
_NAME = r"[a-z0-9][a-z0-9._-]*(?::[0-9]+(?=/))?(?:/[a-z0-9._-]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_IMAGE = rf"(?P<name>{_NAME})(?P<value>(?::{_TAG})?(?:@{_DIGEST})?)(?![\w$/:@.{{-])"
_KEY = r"^[ \t]*(?:-[ \t]+)?"
#: In each, `name` is the pinned image or action, and `value` is everything that a bot rewrites.
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "action",
        re.compile(
            rf"""{_KEY}uses:[ \t]*["']?(?P<name>[\w-][\w.-]*(?:/[\w.-]+)+)"""
            r"""(?P<value>@[^\s"'#]+["']?(?:[ \t]+#[ \t]*(?:tag=|pin[ \t]+@)?v?[0-9][\w.+-]*(?!\S))?)"""
        ),
    ),
    ("image", re.compile(rf"""{_KEY}(?:uses:[ \t]*["']?docker://|(?:image|container):[ \t]*["']?){_IMAGE}""")),
    ("image", re.compile(rf"""{_KEY}name:[ \t]*["']?(?=\S+@sha256:){_IMAGE}""")),
    ("image", re.compile(rf"^[ \t]*(?:FROM|from)[ \t]+(?:--platform=\S+[ \t]+)?{_IMAGE}")),
    ("image", re.compile(rf"""^[ \t]*(?:ARG|arg)[ \t]+(?:\w*IMAGE=|\w+=(?=\S+@sha256:))["']?{_IMAGE}""")),
    ("image", re.compile(rf"\bfrom=(?=\S*[:@]){_IMAGE}")),
    ("label", re.compile(rf"""\borg\.opencontainers\.image\.base\.name=["']?{_IMAGE}""")),
    ("label", re.compile(rf"""\borg\.opencontainers\.image\.base\.digest=["']?(?P<name>)(?P<value>{_DIGEST})""")),
    ("digest", re.compile(rf"""^[ \t]+["']?(?P<name>{_NAME})(?P<value>:{_TAG}["']?:[ \t]+["']?{_DIGEST})""")),
)
_MAYBE = re.compile(r"uses:|from|arg|image|container|name:|sha256:", re.IGNORECASE)
_COMMENT = re.compile(r"#[ \t]*(?:tag=|pin[ \t]+@)?(?P<version>\S+)\Z")
_VERSION = re.compile(r"v?(?P<numbers>[0-9]{1,18}(?:\.[0-9]{1,18})*)(?P<rest>(?![0-9]).*)", re.DOTALL)
_FIXED = re.compile(rf"{_DIGEST}|@[0-9a-f]{{40}}\b")
#: In files with more lines, only lines with pins are compared to match the pins.
_MANY_LINES = 5_000


class Conflict(NamedTuple):
    """The lines of a conflict's markers in a merged text, counted from 1, both included."""

    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A pin that differs between the repository and the new template, and the value that the merge took.

    Attributes:
        kind: An action, an image, a label that repeats an image, or a digest in an answers file.
        name: The action's or the image's name.
        repository: The repository's value, such as `:3.13-slim@sha256:…` or `@<commit> # v7.3.0`.
        template: The new template's value.
        taken: The side whose value the merged text has.
        known: Whether that value is newer, or the only one that moved. Otherwise their order is unknown.
    """

    kind: Kind
    name: str
    repository: str
    template: str
    taken: Side
    known: bool

    @property
    def loosened(self) -> bool:
        """Whether a version without a commit or digest replaced the repository's, which had one."""
        lost = _FIXED.search(self.repository) and not _FIXED.search(self.template)
        return self.taken == "template" and bool(lost)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The result of a merge.

    Attributes:
        text: The merged text, with conflict markers if there are conflicts.
        conflicts: Where they are.
        pins: The pins that differ between the two sides.
        kept: The merged text with the repository's lines at every conflict.
        wanted: The merged text with the template's lines at every conflict.
    """

    text: str
    conflicts: tuple[Conflict, ...]
    pins: tuple[Pin, ...]
    kept: str
    wanted: str


def merge_text(old: str, new: str, mine: str) -> Merged:
    """Merge a template's changes to a file into the repository's version of it.

    The repository's line ends and byte-order mark stay. The template's lines get the same line ends.

    Args:
        old: The text that the repository's template version renders.
        new: The text that the new version renders.
        mine: The repository's text.

    Raises:
        NoGitError: Git is missing, or refuses a text, for example because of a NUL.
    """
    if new == old:
        return Merged(text=mine, conflicts=(), pins=(), kept=mine, wanted=mine)
    bom = "\ufeff" if mine.startswith("\ufeff") else ""
    crlf, total = mine.count("\r\n"), mine.count("\n")
    one_kind = total > 0 and crlf in (0, total)
    texts = []
    for text in (old, new, mine):
        plain = text.removeprefix("\ufeff")
        texts.append(plain.replace("\r\n", "\n") if one_kind else plain)
    texts, pins = _settle(texts)
    text, kept, wanted, conflicts = _merge(*texts)
    text, kept, wanted = (
        bom + (each.replace("\n", "\r\n") if one_kind and crlf else each) for each in (text, kept, wanted)
    )
    return Merged(text=text, conflicts=conflicts, pins=pins, kept=kept, wanted=wanted)


# --- the value of each pin -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A pin in a text.

    Attributes:
        kind: As in `Pin`.
        name: As in `Pin`.
        value: The part that a bot rewrites.
        version: The version in it, or an empty text.
        start: Where the value starts in its line.
        line: The line, counted from 0.
    """

    kind: Kind
    name: str
    value: str
    version: str
    start: int
    line: int

    @property
    def identity(self) -> tuple[str, str, bool]:
        """What identifies the pin in another text. The two labels of an image are two pins."""
        return self.kind, self.name, self.kind == "label" and self.value.startswith("sha256:")


class _Triple(NamedTuple):
    """A pin in the old template, the new one and the repository. None if a text lacks it."""

    old: _Found | None
    new: _Found | None
    mine: _Found | None


@dataclass(frozen=True, kw_only=True)
class _Decision:
    triple: _Triple
    value: str
    known: bool


def _settle(texts: Sequence[str]) -> tuple[list[str], tuple[Pin, ...]]:
    """Give each pin of two or three texts one value. Return the texts and the pins that differed."""
    lines = [text.split("\n") for text in texts]
    found = [list(_find(each)) for each in lines]
    decisions = [_decide(triple) for triple in _triples(lines, found)]
    leaders = _leaders(decisions)
    decisions = [_follow(decision, leaders) for decision in decisions]
    settled = []
    for side, each in enumerate(lines):
        values = {id(pin): decision.value for decision in decisions if (pin := decision.triple[side])}
        settled.append("\n".join(_with(each, found[side], values)))
    differing = [decision for decision in decisions if _differs(decision.triple)]
    return settled, tuple(_reported(decision) for decision in sorted(differing, key=_place))


def _place(decision: _Decision) -> tuple[int, int]:
    pin = decision.triple.mine
    return (pin.line, pin.start) if pin else (0, 0)


def _find(lines: Sequence[str]) -> Iterator[_Found]:
    """Yield the pins of a text, in order."""
    base_name = base_tag = ""
    for number, line in enumerate(lines):
        if not _MAYBE.search(line):
            continue
        in_line = []
        for kind, pattern in _PATTERNS:
            for match in pattern.finditer(line):
                name, value = match["name"], match["value"]
                version = _said(kind, value)
                if kind == "label" and name:
                    base_name, base_tag = name, version
                elif kind == "label":
                    name, version = base_name, base_tag
                in_line.append(
                    _Found(kind=kind, name=name, value=value, version=version, start=match.start("value"), line=number)
                )
        end = 0
        for pin in sorted(in_line, key=lambda pin: pin.start):
            if pin.start >= end:
                yield pin
                end = pin.start + max(1, len(pin.value))


def _said(kind: Kind, value: str) -> str:
    """Return the version in a pin's value, or an empty text."""
    if kind == "action":
        comment = _COMMENT.search(value)
        ref = value[1:].strip("\"'")
        return comment["version"] if comment else "" if re.fullmatch(r"[0-9a-f]{40}", ref) else ref
    return "" if value.startswith(("sha256:", "@")) else value[1:].split("@")[0].split(":")[0].strip("\"'")


def _triples(lines: Sequence[Sequence[str]], found: Sequence[Sequence[_Found]]) -> Iterator[_Triple]:
    """Yield each pin that two or three texts have."""
    old, new, mine = found
    to_new = _pairs(lines[0], old, lines[1], new)
    to_mine = _pairs(lines[0], old, lines[2], mine)
    for pin in old:
        if id(pin) in to_new or id(pin) in to_mine:
            yield _Triple(pin, to_new.get(id(pin)), to_mine.get(id(pin)))
    paired = {id(pin) for pin in (*to_new.values(), *to_mine.values())}
    added = [pin for pin in new if id(pin) not in paired]
    both = _pairs(lines[1], added, lines[2], [pin for pin in mine if id(pin) not in paired])
    for pin in added:
        if id(pin) in both:
            yield _Triple(None, pin, both[id(pin)])


def _pairs(
    lines: Sequence[str], pins: Sequence[_Found], other_lines: Sequence[str], other_pins: Sequence[_Found]
) -> dict[int, _Found]:
    """Return the same pin in another text, by each pin's id: on the same line except for pins, or by name."""
    result: dict[int, _Found] = {}
    by_line: list[dict[int, list[_Found]]] = [defaultdict(list), defaultdict(list)]
    masked: list[list[tuple[int, str]]] = []
    for index, (these, text) in enumerate(((pins, lines), (other_pins, other_lines))):
        for pin in these:
            by_line[index][pin.line].append(pin)
        few = len(lines) <= _MANY_LINES and len(other_lines) <= _MANY_LINES
        numbers: Sequence[int] = range(len(text)) if few else sorted(by_line[index])
        blank = {id(pin): "\0" for pin in these}
        masked.append([(number, _line_with(text[number], by_line[index].get(number, ()), blank)) for number in numbers])
    ours, others = masked
    matcher = SequenceMatcher(None, [text for _, text in ours], [text for _, text in others], autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            here = by_line[0].get(ours[block.a + offset][0], ())
            there = by_line[1].get(others[block.b + offset][0], ())
            result.update((id(pin), other) for pin, other in zip(here, there, strict=False))
    taken = {id(other) for other in result.values()}
    left: dict[tuple[str, str, bool], list[_Found]] = defaultdict(list)
    for other in other_pins:
        if id(other) not in taken:
            left[other.identity].append(other)
    for pin in pins:
        if id(pin) not in result and left[pin.identity]:
            result[id(pin)] = left[pin.identity].pop(0)
    return result


def _decide(triple: _Triple) -> _Decision:
    old, new, mine = triple
    if new is None or mine is None:
        # A removal wins, even if the other side moved the pin.
        value = next(pin.value for pin in (mine, new, old) if pin)
        return _Decision(triple=triple, value=value, known=True)
    if new.value == mine.value or (old and new.value == old.value):
        return _Decision(triple=triple, value=mine.value, known=True)
    if old and mine.value == old.value:
        return _Decision(triple=triple, value=new.value, known=True)
    order = compare(new.version, mine.version)
    return _Decision(triple=triple, value=new.value if order == 1 else mine.value, known=bool(order))


def compare(one: str, other: str) -> int | None:
    """Compare two versions, such as `v4.1.2` or `3.13-slim`.

    Returns:
        1 if the first is newer, -1 if the other is, 0 if they are equal. None if the order is unknown: one is not a
        version, they are of different kinds (`3.13-slim`, `3.13-alpine`), or one covers many (`v4`, `v4.1.2`).
    """
    first, second = _VERSION.fullmatch(one), _VERSION.fullmatch(other)
    if not first or not second or first["rest"] != second["rest"]:
        return 0 if one and one == other else None
    numbers, others = ([int(part) for part in match["numbers"].split(".")] for match in (first, second))
    for number, against in zip(numbers, others, strict=False):
        if number != against:
            return 1 if number > against else -1
    return 0 if len(numbers) == len(others) else None


def _leaders(decisions: Sequence[_Decision]) -> Mapping[str, _Decision]:
    """Return, by image, the decision about the pin that the build uses, if it moved to a single value."""
    values: dict[str, dict[str, _Decision]] = defaultdict(dict)
    for decision in decisions:
        pin = decision.triple.mine
        if pin and pin.kind == "image" and decision.triple.new:
            values[pin.name].setdefault(decision.value, decision)
    single = {name: next(iter(found.values())) for name, found in values.items() if len(found) == 1}
    return {name: decision for name, decision in single.items() if _moved(decision.triple)}


def _follow(decision: _Decision, leaders: Mapping[str, _Decision]) -> _Decision:
    """Give a label the value that the build uses, even if a bot moved only one of the two."""
    pin = decision.triple.mine
    if not pin or pin.kind != "label" or not decision.triple.new or pin.name not in leaders:
        return decision
    leader = leaders[pin.name]
    tag, _, digest = leader.value.partition("@")
    value = digest if pin.value.startswith("sha256:") else tag
    return _Decision(triple=decision.triple, value=value or decision.value, known=leader.known)


def _moved(triple: _Triple) -> bool:
    return len({pin.value for pin in triple if pin}) > 1


def _differs(triple: _Triple) -> bool:
    return bool(triple.new and triple.mine and triple.new.value != triple.mine.value)


def _reported(decision: _Decision) -> Pin:
    _, new, mine = decision.triple
    assert new and mine  # noqa: S101 - what _differs made sure of
    return Pin(
        kind=mine.kind,
        name=mine.name,
        repository=mine.value,
        template=new.value,
        taken="repository" if decision.value == mine.value else "template",
        known=decision.known,
    )


def _with(lines: Sequence[str], pins: Sequence[_Found], values: Mapping[int, str]) -> list[str]:
    """Return lines with other values for their pins, by the id of each pin."""
    by_line: dict[int, list[_Found]] = defaultdict(list)
    for pin in pins:
        by_line[pin.line].append(pin)
    return [_line_with(line, by_line.get(number, ()), values) for number, line in enumerate(lines)]


def _line_with(line: str, pins: Sequence[_Found], values: Mapping[int, str]) -> str:
    for pin in reversed(pins):
        end = pin.start + len(pin.value)
        line = line[: pin.start] + values.get(id(pin), pin.value) + line[end:]
    return line


# --- the rest --------------------------------------------------------------------------------------------------------


def _merge(old: str, new: str, mine: str) -> tuple[str, str, str, tuple[Conflict, ...]]:
    """Merge three texts as Copier does. Return the result with markers, with our lines and with the template's."""
    if mine == old:
        return new, new, new, ()
    if new in (old, mine):
        return mine, mine, mine, ()
    # Longer than any similar line in the texts, and cut to git's usual seven at the end.
    size = 8 + max(
        (len(run) for text in (old, new, mine) for run in re.findall(r"^[<=>]{7,}", text, re.MULTILINE)), default=0
    )
    count, text = git.merge_file(mine, old, new, labels=LABELS, marker_size=size)
    if not count:
        return text, text, text, ()
    lines = text.split("\n")
    kept: list[str] = []
    wanted: list[str] = []
    conflicts: list[Conflict] = []
    first = 0
    sides: tuple[list[str], ...] = (kept, wanted)
    for number, line in enumerate(lines, 1):
        mark = line[:1]
        if not (mark in "<=>" and mark and line.startswith(mark * size)):
            for side in sides:
                side.append(line)
            continue
        lines[number - 1] = mark * 7 + line[size:]
        if mark == "<":
            first, sides = number, (kept,)
        elif mark == "=":
            sides = (wanted,)
        else:
            sides = (kept, wanted)
            conflicts.append(Conflict(first, number))
    return "\n".join(lines), "\n".join(kept), "\n".join(wanted), tuple(conflicts)
