"""Answer sets in which every pair of answers that can go together does so at least once.

Driven by copier.yml: choices and yes/no questions give their own values, tests/answers.toml those of the rest. The same
questions give the same sets in the same order, so that a failing one can be found again.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import Environment, meta
from tests.samples import sample

from dockertpl.errors import BadAnswerError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.questions import Question, load
from dockertpl.template.source import bundled

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).parent / "answers.toml"

#: How many combinations are tried for a pair that a validator refuses.
_TRIES = 12
#: A question's name and the position of one of its values.
_Level: TypeAlias = tuple[str, int]
_Pair: TypeAlias = tuple[_Level, _Level]


@dataclass(frozen=True)
class _Combination:
    """Answers to the questions that decide which others are asked, and which those are."""

    levels: Mapping[str, int]
    asked: tuple[str, ...]

    @cached_property
    def pairs(self) -> frozenset[_Pair]:
        """Return the pairs of the answers that decide."""
        return frozenset(_pairs(self.levels))


def values() -> dict[str, list[Any]]:
    """Return the values that are tried for each question, the plainest first.

    A question that has none keeps its default in every set; tests/test_pairwise.py says which.
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
    """Return the values of a question whose choices depend on the kind: each in turn, as a table of "=kind"."""
    offered = {kind: [choice.value for choice in question.offered(template, {"kind": kind})] for kind in kinds}
    offered = {kind: choices for kind, choices in offered.items() if choices}  # the others are not asked
    # The kind with fewer choices repeats its first.
    turns = itertools.zip_longest(*offered.values())
    by_kind = (zip(offered, turn, strict=True) for turn in turns)
    return [{"=kind": {kind: value or offered[kind][0] for kind, value in pairs}} for pairs in by_kind]


def answer_sets() -> list[dict[str, Any]]:
    """Return the sets: each question that is asked, by name, in the order of copier.yml."""
    return [dict(answers) for answers in _sets()]


@cache
def _sets() -> list[dict[str, Any]]:
    """Return the sets, which take minutes of a processor, once for each state of the questions."""
    folder = sample.cache()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"pairwise-{_state()}.json"
    with (folder / "pairwise.lock").open("w") as lock:
        # The other processes of a test run wait for the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            own = file.with_suffix(".new")
            own.write_text(json.dumps(_found()))
            own.replace(file)
    sets: list[dict[str, Any]] = json.loads(file.read_text())
    return sets


def _state() -> str:
    """Return a digest of everything that the sets come from."""
    files = [ROOT / "copier.yml", *(ROOT / "templates").rglob("*.yml"), *(ROOT / "templates").rglob("*.json")]
    files += [TABLE, Path(__file__), *(ROOT / "generator" / "dockertpl" / "template").rglob("*.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:16]


def _found() -> list[dict[str, Any]]:
    template = Template(bundled())
    questions = load(template)
    factors = values()
    parts = [_combinations(template, part, factors) for part in _parts(questions, factors)]
    reached = [{level for one in part for level in _levels_of(one, factors)} for part in parts]
    left = {pair for part in parts for one in part for pair in _pairs_of(one, factors)}
    left |= {_pair(a, b) for one, other in itertools.combinations(reached, 2) for a in one for b in other}
    order = [question.name for question in questions]
    result = []
    while left:
        first = min(left)
        ranked = [
            sorted(
                (one for one in part if _holds(one, first, {name for name, _ in levels})),
                key=lambda one: (len(one.pairs & left), len(one.asked)),
                reverse=True,
            )
            for part, levels in zip(parts, reached, strict=True)
        ]
        # A validator may refuse the pair beside the other answers: then the next combination is tried.
        for chosen in itertools.islice(_in_turn(ranked), _TRIES):
            combination = _Combination(
                levels={name: level for one in chosen for name, level in one.levels.items()},
                asked=tuple(sorted((name for one in chosen for name in one.asked), key=order.index)),
            )
            levels = _fill(combination, first, factors, left)
            answers = _valid(template, {name: _value(name, level, levels, factors) for name, level in levels.items()})
            if all(name in answers for name, _ in first):
                break
        left.discard(first)
        left.difference_update(_pairs({name: level for name, level in levels.items() if name in answers}))
        if answers not in result:
            result.append(answers)
    return result


def _in_turn(ranked: list[list[_Combination]]) -> Iterator[list[_Combination]]:
    """Yield one combination of each part, the best of all first, and then the next of each."""
    for place in range(max(map(len, ranked))):
        yield [part[min(place, len(part) - 1)] for part in ranked]


def _parts(questions: list[Question], factors: Mapping[str, list[Any]]) -> list[list[Question]]:
    """Return the questions in parts: none in one decides whether, or with what, one in another is asked."""
    part = {question.name: {question.name} for question in questions}
    for question in questions:
        named = {name for value in factors.get(question.name, []) for name in _names(value)}
        for name in (_deciding(question) | named) & part.keys():
            together = part[question.name] | part[name]
            part.update(dict.fromkeys(together, together))
    distinct = {id(names): names for names in part.values()}
    return [[question for question in questions if question.name in names] for names in distinct.values()]


def _deciding(question: Question) -> set[str]:
    """Return the answers that a question's `when` looks at."""
    if not isinstance(question.when, str):
        return set()
    environment = Environment(autoescape=True)
    return meta.find_undeclared_variables(environment.parse(question.when))


def _names(value: Any) -> list[str]:
    """Return the answer that a value in the table is taken from, if it is."""
    text = next(iter(value), "") if isinstance(value, dict) and len(value) == 1 else value
    return [text[1:]] if isinstance(text, str) and text.startswith("=") else []


def _combinations(
    template: Template, questions: list[Question], factors: Mapping[str, list[Any]]
) -> list[_Combination]:
    """Return every combination of the answers that decide, which `when` and only `when` names."""
    deciding = {name for question in questions for name in _deciding(question)}
    # `context` can be the same as `app_dir`, and `image` depends on `registry`.
    decide = [question for question in questions if question.name in deciding and question.name in factors]
    result = []
    for levels in _choices(template, decide, factors):
        context = {
            question.name: _value(question.name, levels.get(question.name, 0), levels, factors) for question in decide
        }
        asked = tuple(
            question.name for question in questions if question.name in factors and question.asked(template, context)
        )
        answers = {name: _value(name, levels.get(name, 0), levels, factors) for name in asked}
        if levels.keys() <= _valid(template, answers).keys():  # else a validator refuses it
            result.append(_Combination(levels=levels, asked=asked))
    return result


def _choices(template: Template, questions: list[Question], factors: Mapping[str, list[Any]]) -> list[dict[str, int]]:
    """Return every way to answer the questions, each of which is asked or not by the answers to those before it."""
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


def _levels_of(combination: _Combination, factors: Mapping[str, list[Any]]) -> Iterator[_Level]:
    """Yield every value of every question that can be had in a combination."""
    for name in combination.asked:
        yield from (
            [(name, combination.levels[name])]
            if name in combination.levels
            else ((name, level) for level in range(len(factors[name])))
        )


def _pairs_of(combination: _Combination, factors: Mapping[str, list[Any]]) -> Iterator[_Pair]:
    """Yield every pair that can be had in a combination."""
    levels = _levels_of(combination, factors)
    yield from (_pair(one, other) for one, other in itertools.combinations(levels, 2) if one[0] != other[0])


def _holds(combination: _Combination, pair: _Pair, names: set[str]) -> bool:
    """Tell whether a combination allows what a pair says of the questions of its own part."""
    return all(
        name in combination.asked and combination.levels.get(name, level) == level
        for name, level in pair
        if name in names
    )


def _fill(
    combination: _Combination, first: _Pair, factors: Mapping[str, list[Any]], left: set[_Pair]
) -> dict[str, int]:
    """Return a level for each question that is asked, which together cover the most pairs that are left."""
    levels = {**combination.levels, **dict(first)}
    for name in combination.asked:
        if name not in levels:
            levels[name] = max(
                range(len(factors[name])),
                key=lambda level: sum(_pair((name, level), other) in left for other in levels.items()),
            )
    return {name: levels[name] for name in combination.asked}


def _pairs(levels: Mapping[str, int]) -> set[_Pair]:
    return {_pair(one, other) for one, other in itertools.combinations(levels.items(), 2)}


def _pair(one: _Level, other: _Level) -> _Pair:
    return (one, other) if one < other else (other, one)


def _value(name: str, level: int, levels: Mapping[str, int], factors: Mapping[str, list[Any]]) -> Any:
    value = factors[name][level]
    if isinstance(value, str) and value.startswith("="):
        return _value(value[1:], levels[value[1:]], levels, factors)
    if isinstance(value, dict) and len(value) == 1 and (other := next(iter(value))).startswith("="):
        chosen = _value(other[1:], levels.get(other[1:], 0), levels, factors)
        return value[other].get(chosen)  # None where it is not asked
    return value


def _valid(template: Template, answers: dict[str, Any]) -> dict[str, Any]:
    """Return a set without the answers that do not go with the rest of it."""
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
