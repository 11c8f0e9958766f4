"""Give the same typed answers to Copier's prompts and to our interview, and report the differences.

Three differences are intended. The first two are not reported:

- Copier runs no validator on a choice or a yes/no answer, though other answers can make one wrong. This module runs it.
- Copier says "Invalid input" to a value of the wrong type, and we say why.
- Copier ends at a default that its validator refuses, and we ask. This is reported: our questions must not have one.
"""

from __future__ import annotations

import itertools
import os
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from copier import _main
from copier._types import MISSING as COPIERS_MISSING
from plumbum import local
from tests.pairwise import TABLE
from tests.parity import RefusedError  # noqa: F401 - importing it makes Copier compile each text once

from dockertpl.template.answers import Prompt
from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview
from dockertpl.template.questions import MISSING
from dockertpl.template.questions import RefusedError as RefusedAnswerError
from dockertpl.template.values import WrongTypeError

_NO_VALUE = "(nothing)"
#: The answer that opens every question that Copier hides by default.
EVERYTHING = {"customize": ["application", "image", "ci"]}
_INVALID = "Invalid input"
_PROBES: Mapping[str, Sequence[Any]] = {
    "int": ["", "0", "80", "1024", "4000", "70000", "1.5", "-1", " 7 ", "1_000", "many"],
    "str": [
        *("", " ", ".", "..", "a", "A", "a b", "-x", "a/b", "a/../b", "/a", "a/", "é", "it's", '"', "$(id)", "{{ 1 }}"),
        *(
            "a:b",
            "a.b:c",
            "1.2",
            "1.2.3",
            "a--b",
            "a_.b",
            "@acme/web",
            "ghcr.io/acme/app",
            "ghcr.io/acme/app:1",
            "x" * 64,
        ),
    ],
    "yaml": [
        *("", "null", "[", "a", "[]", "{}", "[a]", "[a, a]", "[1]", "['1']", "[[a]]", "['-x']", "['a b']", "['../a']"),
        *("['/a']", "['é']", "['']", "[a, null]", "{a: b}", "{A: b}", "{A: 1}", "{A: [b]}", "{1: b}", "{a b: c}"),
        *("[go, java]", "[sandbox]", "[python, python]", "['3.12']", "{a: {dir: b, base: python}}", "{a: {dir: b}}"),
        "{a: {dir: ../b, base: python}}",
    ],
}


@dataclass(frozen=True, kw_only=True)
class Script:
    """The input of a user.

    Attributes:
        typed: By question: text, the value of a choice, or yes or no. For other questions, and after a refusal, they
            press Enter.
        given: The answers of `--data` or `-d`.
        stored: The answers of an answers file.
        found: The values that detection finds. For Copier, the user defaults.
        probes: Whether they try wrong answers before each.
    """

    typed: Mapping[str, Any]
    given: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)
    probes: bool = True


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question as it was asked.

    Attributes:
        name: Its name.
        message: Its text.
        type: Its type.
        choices: The label, the value and the reason against it, for each choice.
        many: Whether it takes several choices.
        default: The value that Enter accepts.
        verdicts: The reply to each answer, in order; empty if it was accepted.
    """

    name: str
    message: str
    type: str
    choices: Sequence[tuple[str, Any, str]]
    many: bool
    default: Any
    verdicts: Sequence[tuple[Any, str]]


@dataclass(kw_only=True)
class Session:
    """The result of a script.

    Attributes:
        asked: The questions, in order.
        answers: The answers to all questions, asked or not.
        hidden: The questions that did not apply.
        end: The reason it ended early, if it did.
    """

    asked: list[Asked] = field(default_factory=list)
    answers: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    end: str = ""


class _StuckError(Exception):
    """The question accepts neither the typed answer nor Enter."""


def scripts(sets: Sequence[Mapping[str, Any]]) -> list[Script]:
    """Return a script for each set of answers of `pairwise.answer_sets`."""
    return [Script(typed={**{name: _typed(value) for name, value in one.items()}, **EVERYTHING}) for one in sets]


def by_copier(root: Path, script: Script, folder: Path) -> Session:
    """Run a script with Copier's own prompts. Only the screen is replaced."""
    session = Session()
    if script.stored:
        folder.mkdir(parents=True)
        (folder / ".copier-answers.yml").write_text(yaml.safe_dump(dict(script.stored)), encoding="utf-8")

    def prompt(questions: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, Any]:
        (structure,) = questions
        if not structure["when"](answers):
            return answers  # as questionary does
        question = structure["filter"].__self__
        choices = structure.get("choices", ())
        default = answers[question.var_name]

        def verdict(raw: Any) -> str:
            if structure["type"] == "select" and all(raw != one.value or one.disabled for one in choices):
                return next((one.disabled for one in choices if raw == one.value), _INVALID)
            if "validate" in structure:
                said = structure["validate"](raw)
                return "" if said is True else _plain(str(said))
            try:
                question.validate_answer(question.cast_answer(raw))
            except ValueError as error:
                return _plain(str(error))
            return ""

        if structure["type"] == "select":
            chosen = structure.get("default")
            enter = chosen.value if chosen else choices[0].value
        elif structure["type"] == "checkbox":
            enter = [one.value for one in choices if one.checked]
        else:
            enter = structure.get("default", "")
        raw = _answer(
            session,
            script,
            verdict,
            enter,
            name=question.var_name,
            message=structure["message"].strip(),
            type=question.get_type_name(),
            choices=[(str(one.title), one.value, one.disabled or "") for one in choices],
            many=question.multiselect,
            default=_NO_VALUE if default is COPIERS_MISSING else default,
        )
        return {**answers, question.var_name: structure["filter"](raw)}

    with (
        warnings.catch_warnings(),
        local.env(**os.environ),
        mock.patch.object(_main, "unsafe_prompt", prompt),
        _main.Worker(
            src_path=str(root),
            dst_path=folder,
            data=dict(script.given),
            user_defaults=dict(script.found),
            quiet=True,
        ) as worker,
    ):
        warnings.simplefilter("ignore")
        try:
            worker._ask()
        except _StuckError as error:
            session.end = str(error)
        except ValueError as error:
            session.end = _plain(str(error))
        names = worker.template.questions_data
        session.answers = {name: value for name, value in worker.answers.combined.items() if name in names}
        session.hidden = frozenset(worker.answers.hidden)
    return session


def by_interview(template: Template, script: Script, folder_name: str) -> Session:
    """Run a script with our interview."""
    session = Session()
    interview = Interview(
        template, folder_name=folder_name, data=script.given, stored=script.stored, detected=script.found
    )
    try:
        while left := [
            prompt
            for name, prompt in interview.prompts.items()
            if name not in interview.said and prompt.asked_by_copier
        ]:
            prompt = left[0]
            enter = prompt.default
            if enter is MISSING:
                enter = {"bool": False}.get(prompt.type_name, "") if not prompt.choices else prompt.choices[0].value
            raw = _answer(
                session,
                script,
                _verdict_of(prompt),
                enter,
                name=prompt.question.name,
                message=prompt.message.strip(),
                type=prompt.type_name,
                choices=[(choice.label, choice.value, choice.disabled) for choice in prompt.choices],
                many=prompt.question.multiselect,
                default=_NO_VALUE if prompt.default is MISSING else prompt.default,
            )
            interview.say(prompt.question.name, raw)
        answers = interview.answers()
    except _StuckError as error:
        session.end = str(error)
        return session
    session.answers, session.hidden = answers.values, answers.hidden
    return session


def between(copiers: Session, ours: Session) -> list[str]:
    """Return the differences between the results of Copier and our interview, one a line."""
    return [*_in_questions(copiers, ours), *_in_answers(copiers, ours)]


def _in_questions(copiers: Session, ours: Session) -> Iterator[str]:
    for theirs, mine in itertools.zip_longest(copiers.asked, ours.asked):
        if theirs is None or mine is None or theirs.name != mine.name:
            yield f"Copier asks {theirs and theirs.name}, the interview {mine and mine.name}"
            return  # the rest follows from it
        for what in ("message", "type", "choices", "many", "default"):
            one, other = getattr(theirs, what), getattr(mine, what)
            if one != other or type(one) is not type(other):
                yield f"{mine.name}: {what}: Copier has {one!r}, the interview {other!r}"
        for (raw, one), (_, other) in zip(theirs.verdicts, mine.verdicts, strict=False):
            if one != other:
                yield f"{mine.name}: to {raw!r} Copier says {one!r}, the interview {other!r}"


def _in_answers(copiers: Session, ours: Session) -> Iterator[str]:
    if copiers.end != ours.end:
        yield f"Copier ends with {copiers.end!r}, the interview with {ours.end!r}"
    if copiers.end or ours.end:
        return
    if copiers.hidden != ours.hidden:
        yield f"hidden: {sorted(copiers.hidden ^ ours.hidden)}"
    for name in sorted(copiers.answers.keys() | ours.answers.keys()):
        pair = (copiers.answers.get(name, _NO_VALUE), ours.answers.get(name, _NO_VALUE))
        if pair[0] != pair[1] or type(pair[0]) is not type(pair[1]):
            yield f"{name}: Copier answers {pair[0]!r}, the interview {pair[1]!r}"


def _answer(session: Session, script: Script, verdict: Callable[[Any], str], enter: Any, **facts: Any) -> Any:
    """Try one answer after another, record the question and the replies, and return the accepted answer."""
    name = facts["name"]
    probes = _probes(name, facts["type"], facts["choices"], facts["many"]) if script.probes else []
    verdicts = [(raw, verdict(raw)) for raw in probes]
    typed = [(script.typed[name], script.typed[name])] if name in script.typed else []
    # Enter gives Copier a text and gives us a value.
    for noted, raw in [*typed, ("Enter", enter)]:
        said = verdict(raw)
        verdicts.append((noted, said))
        if not said:
            session.asked.append(Asked(**facts, verdicts=verdicts))
            return raw
    session.asked.append(Asked(**facts, verdicts=verdicts))
    raise _StuckError(f"{name} takes no answer: {said}")


def _probes(name: str, type_name: str, choices: Sequence[tuple[str, Any, str]], many: bool) -> list[Any]:
    if choices:
        values = [*(value for _, value, _ in choices), "nonsense"]
        return [[], values[:-1], *([value] for value in values)] if many else values
    if type_name == "bool":
        return [False, True]
    own = _table().get(name, [])
    return [*_PROBES.get(type_name, ()), *(_typed(value) for value in own if not _is_reference(value))]


def _is_reference(value: Any) -> bool:
    text = next(iter(value), "") if isinstance(value, dict) else value
    return isinstance(text, str) and text.startswith("=")


@cache
def _table() -> Mapping[str, list[Any]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def _verdict_of(prompt: Prompt) -> Callable[[Any], str]:
    def verdict(raw: Any) -> str:
        try:
            prompt.check(raw)
        except WrongTypeError:
            return _INVALID
        except RefusedAnswerError as error:
            return (_disabled(prompt, error.value) or _INVALID) if error.chosen else _plain(str(error))
        return ""

    return verdict


def _disabled(prompt: Prompt, value: Any) -> str:
    return next((choice.disabled for choice in prompt.choices if choice.value == value), "")


def _plain(message: str) -> str:
    """Return only the message of a validator, as one paragraph."""
    message = " ".join(message.split())
    if message.startswith("Validation error for question '"):
        message = message.partition("': ")[2]
    return message.partition(" cannot be checked: ")[2] or message


def _typed(value: Any) -> Any:
    """Return a value as a user types or chooses it."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return str(value)
    return yaml.safe_dump(value, default_flow_style=True, width=1 << 30, allow_unicode=True).strip()
