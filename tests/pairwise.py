"""Sets of answers that contain every valid pair of answers at least once.

copier.yml defines the values of choices and yes/no questions, and tests/answers.toml those of the rest. The same
questions give the same sets in the same order, so you can find a failing set again.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import heapq
import itertools
import json
import operator
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import Environment, nodes
from tests.samples import sample

from dockertpl.errors import BadAnswerError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.questions import Question, load
from dockertpl.template.source import bundled

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).parent / "answers.toml"

#: The number of combinations to try for a pair that a validator refuses.
_TRIES = 12
#: A question's name and the position of one of its values.
_Level: TypeAlias = tuple[str, int]
_Pair: TypeAlias = tuple[_Level, _Level]
_Factors: TypeAlias = Mapping[str, list[Any]]
_JINJA = Environment(autoescape=True)


class _Left:
    """The pairs that no set has yet. A number represents a set of levels, with a bit for each."""

    def __init__(self, factors: _Factors) -> None:
        self._levels = sorted((name, level) for name in factors for level in range(len(factors[name])))
        self._place = {level: place for place, level in enumerate(self._levels)}
        #: The partners of each level.
        self._others = [0] * len(self._levels)
        #: The levels of each question.
        self.of = {name: self.bits((name, level) for level in range(len(factors[name]))) for name in factors}

    def bits(self, levels: Iterable[_Level]) -> int:
        """Return levels as bits."""
        return sum(1 << self._place[level] for level in levels)

    def add(self, levels: int, others: int) -> None:
        """Add every pair between two groups of levels."""
        for one, more in ((levels, others), (others, levels)):
            for place in _places(one):
                self._others[place] |= more & ~self.of[self._levels[place][0]]

    def remove(self, levels: int) -> None:
        """Remove every pair within a group of levels."""
        for place in _places(levels):
            self._others[place] &= ~levels

    def first(self) -> _Pair | None:
        """Return the first pair."""
        for level, others in zip(self._levels, self._others, strict=True):
            if others:
                return level, self._levels[next(_places(others))]
        return None

    def count(self, level: _Level, others: int) -> int:
        """Return the number of a level's partners in a group."""
        return (self._others[self._place[level]] & others).bit_count()


def _places(bits: int) -> Iterator[int]:
    """Yield the index of each set bit."""
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1


@dataclass(frozen=True)
class _Combination:
    """Answers that decide which questions are asked, and those questions.

    Attributes:
        levels: The deciding answers.
        asked: The asked questions.
        reach: Every level of the asked questions, as bits.
        pairs: The pairs of the deciding answers, as bits at their index in the part's `pairs`.
    """

    levels: Mapping[str, int]
    asked: tuple[str, ...]
    reach: int
    pairs: int


@dataclass(frozen=True)
class _Part:
    """Questions that do not depend on those of another part.

    Attributes:
        combinations: Every combination of the deciding answers.
        pairs: Every pair of deciding answers.
        reach: Every possible level.
    """

    combinations: Sequence[_Combination]
    pairs: Sequence[_Pair]
    reach: int

    def best(self, needed: int, left: _Left) -> list[_Combination]:
        """Return the combinations that allow the given levels of this part, the most useful first."""
        needed &= self.reach
        open_ = sum(left.count(one, left.bits([other])) << place for place, (one, other) in enumerate(self.pairs))
        fitting = (one for one in self.combinations if one.reach & needed == needed)
        return heapq.nlargest(_TRIES, fitting, key=lambda one: ((one.pairs & open_).bit_count(), len(one.asked)))


def values() -> dict[str, list[Any]]:
    """Return the values to try for each question, the plainest first.

    A question without values keeps its default in every set. tests/test_pairwise.py lists them.
    """
    template = Template(bundled())
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    result: dict[str, list[Any]] = {}
    for question in load(template):
        if question.multiselect:
            result[question.name] = [[], [choice.value for choice in question.offered(template, {})]]
        elif isinstance(question.choices, str):
            result[question.name] = _by_kind(template, question, result["kind"])
        elif choices := question.offered(template, {}):
            result[question.name] = [choice.value for choice in choices if not choice.disabled]
        elif question.type == "bool":
            result[question.name] = [False, True]
        elif question.name in table:
            result[question.name] = table[question.name]
    return result


def _by_kind(template: Template, question: Question, kinds: list[str]) -> list[Any]:
    """Return the values of a question with choices that depend on the kind, as tables of "=kind"."""
    offered = {kind: [choice.value for choice in question.offered(template, {"kind": kind})] for kind in kinds}
    offered = {kind: choices for kind, choices in offered.items() if choices}  # other kinds do not ask it
    # A kind with fewer choices repeats its first.
    turns = itertools.zip_longest(*offered.values())
    by_kind = (zip(offered, turn, strict=True) for turn in turns)
    return [{"=kind": {kind: value or offered[kind][0] for kind, value in pairs}} for pairs in by_kind]


def answer_sets() -> list[dict[str, Any]]:
    """Return the sets: the asked questions, by name, in the order of copier.yml."""
    found = [dict(answers) for answers in _sets()]
    assert found
    return found


def some() -> list[int]:
    """Return the places of a fixed fifth of the sets: each kind has each value of each question at least once."""
    found: set[tuple[str, str, str]] = set()
    chosen = []
    for number, answers in enumerate(_sets()):
        reached = {(answers["kind"], name, repr(value)) for name, value in answers.items()}
        if not reached <= found:
            found |= reached
            chosen.append(number)
    return chosen


@cache
def _sets() -> list[dict[str, Any]]:
    """Return the sets. They take seconds to compute, so do it once for each state of the questions."""
    folder = sample.cache()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"pairwise-{_state()}.json"
    with (folder / "pairwise.lock").open("w") as lock:
        # The other processes of a test run wait for the first one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            own = file.with_suffix(".new")
            own.write_text(json.dumps(_found()))
            own.replace(file)
    sets: list[dict[str, Any]] = json.loads(file.read_text())
    return sets


def _state() -> str:
    """Return a digest of all inputs of the sets."""
    files = [ROOT / "copier.yml", *(ROOT / "templates").rglob("*.yml"), *(ROOT / "templates").rglob("*.json")]
    files += [TABLE, Path(__file__), *(ROOT / "generator" / "dockertpl" / "template").rglob("*.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:16]


def _found() -> list[dict[str, Any]]:
    template = Template(bundled())
    questions = load(template)
    factors = values()
    left = _Left(factors)
    parts = [_part(template, part, factors, left) for part in _parts(questions, factors)]
    for one, other in itertools.combinations(parts, 2):
        left.add(one.reach, other.reach)
    order = [question.name for question in questions]
    result: list[dict[str, Any]] = []
    while first := left.first():
        needed = left.bits(first)
        # A validator may refuse the pair because of other answers: then try the next combination.
        for chosen in _in_turn([part.best(needed, left) for part in parts]):
            asked = sorted((name for one in chosen for name in one.asked), key=order.index)
            decided = {name: level for one in chosen for name, level in one.levels.items()}
            levels = _fill({**decided, **dict(first)}, asked, factors, left)
            answers = _valid(template, {name: _value(name, level, levels, factors) for name, level in levels.items()})
            if all(name in answers for name, _ in first):
                break
        left.remove(needed)
        left.remove(left.bits(level for level in levels.items() if level[0] in answers))
        if answers not in result:
            result.append(answers)
    return result


def _in_turn(ranked: list[list[_Combination]]) -> Iterator[list[_Combination]]:
    """Yield one combination of each part, first the best ones, then the next ones."""
    for place in range(max(map(len, ranked))):
        yield [part[min(place, len(part) - 1)] for part in ranked]


def _parts(questions: list[Question], factors: _Factors) -> list[list[Question]]:
    """Return the questions in independent parts. No question affects one in another part."""
    part = {question.name: {question.name} for question in questions}
    for question in questions:
        named = {name for value in factors.get(question.name, []) for name in _names(value)}
        for name in (_deciding(question) | named) & part.keys():
            together = part[question.name] | part[name]
            part.update(dict.fromkeys(together, together))
    distinct = {id(names): names for names in part.values()}
    return [[question for question in questions if question.name in names] for names in distinct.values()]


def _deciding(question: Question) -> set[str]:
    """Return the answers that a question's `when` depends on."""
    return _variables(question.when)


def _names(value: Any) -> list[str]:
    """Return the answer that a value in the table depends on, if any."""
    text = next(iter(value), "") if isinstance(value, dict) and len(value) == 1 else value
    return [text[1:]] if isinstance(text, str) and text.startswith("=") else []


def _part(template: Template, questions: list[Question], factors: _Factors, left: _Left) -> _Part:
    """Return a part, and add the pairs of its levels to the remaining ones."""
    deciding = {name for question in questions for name in _deciding(question)}
    # `context` can be the same as `app_dir`, and `image` depends on `registry`.
    decide = [question for question in questions if question.name in deciding and question.name in factors]
    own = [(question.name, level) for question in decide for level in range(len(factors[question.name]))]
    pairs = list(itertools.combinations(own, 2))
    place = {pair: place for place, pair in enumerate(pairs)}
    known = _Known(template, questions, factors, [question.name for question in decide])
    names = [question.name for question in questions if question.name in factors]
    combinations = []
    beside: dict[int, int] = {}
    for levels in _choices(template, decide, factors):
        asked = tuple(name for name in names if known.asked(name, levels))
        if not all(known.taken(name, levels, asked) for name in levels):
            continue
        had = [left.bits([(name, levels[name])]) if name in levels else left.of[name] for name in asked]
        there = sum(1 << place[pair] for pair in itertools.combinations(levels.items(), 2))
        combinations.append(_Combination(levels=levels, asked=asked, reach=sum(had), pairs=there))
        for one in had:
            beside[one] = beside.get(one, 0) | sum(had)
    for one, others in beside.items():
        left.add(one, others)
    reach = functools.reduce(operator.or_, (one.reach for one in combinations))
    return _Part(combinations=combinations, pairs=pairs, reach=reach)


class _Known:
    """The effects of the deciding answers, cached by the answers that affect a question."""

    def __init__(self, template: Template, questions: list[Question], factors: _Factors, decide: list[str]) -> None:
        self._template, self._factors, self._decide = template, factors, decide
        self._questions = {question.name: question for question in questions}
        self._for_when = {question.name: self._closed(_deciding(question)) for question in questions}
        self._for_value = {name: self._closed(self._looks_at(name)) for name in decide}
        self._asked: dict[tuple[str | int | None, ...], bool] = {}
        self._taken: dict[tuple[str | int | None, ...], bool] = {}

    def _closed(self, names: set[str]) -> list[str]:
        """Return which answers decide, with the answers that their values depend on."""
        more = {other for name in names for value in self._factors.get(name, []) for other in _names(value)}
        return self._closed(names | more) if more - names else [name for name in self._decide if name in names]

    def _looks_at(self, name: str) -> set[str]:
        """Return the questions that decide whether an answer is valid, including its own."""
        found: set[str] = set()
        todo = {name}
        while todo:
            found |= todo
            these = [self._questions[one] for one in todo]
            texts = [(one.type, one.choices, one.default, one.when, one.validator) for one in these]
            todo = (_variables(texts) & self._questions.keys()) - found
        return found

    def asked(self, name: str, levels: Mapping[str, int]) -> bool:
        """Return whether a question is asked."""
        key = (name, *map(levels.get, self._for_when[name]))
        if key not in self._asked:
            context = {one: _value(one, levels.get(one, 0), levels, self._factors) for one in self._decide}
            self._asked[key] = self._questions[name].asked(self._template, context)
        return self._asked[key]

    def taken(self, name: str, levels: Mapping[str, int], asked: Iterable[str]) -> bool:
        """Return whether every validator accepts an answer beside the others."""
        key = (name, *map(levels.get, self._for_value[name]))
        if key not in self._taken:
            answers = {one: _value(one, levels.get(one, 0), levels, self._factors) for one in asked}
            self._taken[key] = name in _valid(self._template, answers)
        return self._taken[key]


def _variables(value: Any) -> set[str]:
    """Return the variables of a text, or of every text within a value of copier.yml."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        return set().union(*map(_variables, value))
    return {name.name for name in _JINJA.parse(value).find_all(nodes.Name)} if isinstance(value, str) else set()


def _choices(template: Template, questions: list[Question], factors: _Factors) -> list[dict[str, int]]:
    """Return every way to answer the questions. Earlier answers decide whether a question is asked."""
    ways: list[tuple[dict[str, int], dict[str, Any]]] = [({}, {})]
    for question in questions:
        longer = []
        for levels, context in ways:
            asked = question.asked(template, context)
            for level in range(len(factors[question.name]) if asked else 1):
                more = {**levels, question.name: level} if asked else levels
                value = _value(question.name, level, more, factors)
                if all(_value(question.name, lower, more, factors) != value for lower in range(level)):
                    longer.append((more, {**context, question.name: value}))
        ways = longer
    return [levels for levels, _ in ways]


def _fill(levels: Mapping[str, int], asked: Sequence[str], factors: _Factors, left: _Left) -> dict[str, int]:
    """Return a level for each asked question. Together they cover the most remaining pairs."""
    filled = dict(levels)
    bits = left.bits(filled.items())
    for name in asked:
        if name not in filled:
            filled[name] = max(range(len(factors[name])), key=lambda level: left.count((name, level), bits))
            bits |= left.bits([(name, filled[name])])
    return {name: filled[name] for name in asked}


def _value(name: str, level: int, levels: Mapping[str, int], factors: _Factors) -> Any:
    value = factors[name][level]
    if isinstance(value, str) and value.startswith("="):
        return _value(value[1:], levels[value[1:]], levels, factors)
    if isinstance(value, dict) and len(value) == 1 and (other := next(iter(value))).startswith("="):
        chosen = _value(other[1:], levels.get(other[1:], 0), levels, factors)
        return value[other].get(chosen)  # None if it is not asked
    return value


def _valid(template: Template, answers: dict[str, Any]) -> dict[str, Any]:
    """Return a set without the answers that conflict with the rest."""
    while True:
        try:
            resolve(template, folder_name="repository", data=answers)
        except BadAnswerError as error:
            refused = {problem["key"] for problem in error.data["answers"]} & answers.keys()
            if not refused:
                raise
            answers = {name: value for name, value in answers.items() if name not in refused}
        else:
            return answers
