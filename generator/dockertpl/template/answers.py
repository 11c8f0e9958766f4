"""Answers: where each comes from, and whether the questions accept it.

The order of precedence is `-d`, the data file, the user's answer, the stored answer, the detected one, the default.
Copier has the same order for `--data`, its prompts, the answers file and user defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from dockertpl.errors import BadAnswerError, BadInputError, TemplateError
from dockertpl.template import yamltext
from dockertpl.template.environment import Template
from dockertpl.template.questions import MISSING, Choice, Question, RefusedError, load
from dockertpl.template.suggest import nearest
from dockertpl.template.values import WrongTypeError, check_inert, shown

Origin: TypeAlias = Literal["-d", "data file", "stored", "detected", "asked", "default"]

# The types that Copier writes into an answers file. It silently leaves out the rest, and so does dockertpl.
_REMEMBERED = (dict, list, str, int, float, bool, type(None))
_FORM = "Write one answer per line, in YAML: port: 8000"
_REFUSED = (WrongTypeError, RefusedError)


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A question to ask.

    Attributes:
        question: The question.
        message: The text to show.
        type_name: The type of the answer.
        choices: The choices. Empty allows any value of the type.
        default: The answer if the user presses Enter: an earlier answer if it is still valid, else the answer without
            the user, or `MISSING`.
        origin: Where the default comes from.
        asked_by_copier: Whether Copier asks it, too, instead of using the default.
        check: Returns an answer in its type, or raises ValueError with a message for the user.
    """

    question: Question
    message: str
    type_name: str
    choices: list[Choice]
    default: Any
    origin: Origin
    asked_by_copier: bool
    check: Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Valid answers to the template's questions.

    Attributes:
        values: Each question's answer, in the order of the questions, including those that were not asked.
        origin: Where each comes from.
        hidden: Questions with a false `when`. They stay out of the answers file.
        secret: Questions with answers that stay out of the answers file.
        leftovers: Stored answers to questions that the template no longer has. A new default may use them.
        folder_name: The name of the destination folder, `_folder_name` in the template.
        warnings: Warnings for the user, for example about an unused answer.
        unused: Why a stored answer is not used, by question. `warnings` has the same, in the words of `not_used`.
    """

    values: Mapping[str, Any]
    origin: Mapping[str, Origin]
    hidden: frozenset[str]
    secret: frozenset[str]
    leftovers: Mapping[str, Any]
    folder_name: str
    warnings: tuple[str, ...]
    unused: Mapping[str, str]

    def remembered(self) -> dict[str, Any]:
        """Return the answers that belong in the answers file."""
        out = self.hidden | self.secret
        return {key: value for key, value in self.values.items() if key not in out and isinstance(value, _REMEMBERED)}

    def context(self) -> dict[str, Any]:
        """Return the variables of a template."""
        return {**self.leftovers, **self.values, "_folder_name": self.folder_name}


def not_used(name: str, why: str) -> str:
    """Return the warning about a stored answer that is not used."""
    return f"The stored answer for {name} is no longer used: {why}"


def resolve(
    template: Template,
    *,
    folder_name: str,
    data: Mapping[str, Any] | None = None,
    data_file: Mapping[str, Any] | None = None,
    stored: Mapping[str, Any] | None = None,
    detected: Mapping[str, Any] | None = None,
) -> Answers:
    """Answer every question of a template.

    A given answer that is not valid is an error. A stored or detected one is dropped with a warning, because it may
    belong to another version of the template. A given answer to a question that does not apply causes a warning. The
    template may use it, but it is not stored. Copier does the same.

    Args:
        folder_name: The name of the destination folder.
        data: Answers of the command line. Text is converted to the question's type.
        data_file: Answers of a data file.
        stored: Answers of an answers file.
        detected: Answers that were detected in the repository.

    Raises:
        BadAnswerError: Given answers are unknown or not valid, or a question has no answer. One error has them all.
        TemplateError: The template cannot be rendered.
    """
    layers = Layers(data=data or {}, data_file=data_file or {}, stored=stored or {}, detected=detected or {})
    return go_through(template, load(template), folder_name=folder_name, layers=layers).answers()


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The sources of answers. Earlier attributes win.

    Attributes:
        data: Answers of the command line. Text is converted to the question's type.
        data_file: Answers of a data file.
        asked: The user's answers, as text or values.
        stored: Answers of an answers file.
        detected: Answers that were detected in the repository.
    """

    data: Mapping[str, Any]
    data_file: Mapping[str, Any]
    stored: Mapping[str, Any]
    detected: Mapping[str, Any]
    asked: Mapping[str, Any] = field(default_factory=dict)

    def given(self) -> dict[str, Any]:
        """Return the given answers. Their questions are not asked."""
        return {**self.data_file, **self.data}

    def origin(self, key: str) -> Origin:
        """Return the source of a given answer."""
        return "-d" if key in self.data else "data file"


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The result of going through the questions.

    Attributes:
        prompts: The questions that apply and were not given, in order. Empty unless requested.
        dropped: The user's answers that are no longer valid, with the reason.
        problems: Invalid given answers and defaults, and questions without an answer, with the reason.
    """

    prompts: Mapping[str, Prompt]
    dropped: Mapping[str, str]
    problems: Sequence[tuple[str, str]]
    _answers: Answers

    def answers(self) -> Answers:
        """Return the answers.

        Raises:
            BadAnswerError: There are problems, or a user's answer was dropped. One error has them all.
        """
        if problems := [*self.problems, *self.dropped.items()]:
            raise _bad(problems)
        return self._answers


def go_through(
    template: Template,
    questions: Sequence[Question],
    *,
    folder_name: str,
    layers: Layers,
    with_prompts: bool = False,
) -> Resolution:
    """Answer every question of a template in order, as far as possible.

    Args:
        folder_name: The name of the destination folder.
        layers: The sources of answers.
        with_prompts: Whether to return prompts. This takes twice as long.

    Raises:
        TemplateError: The template cannot be rendered.
    """
    state = _State(template=template, layers=layers, folder_name=folder_name, with_prompts=with_prompts)
    state.check_keys([question.name for question in questions])
    for question in questions:
        try:
            state.answer(question)
        except TemplateError:
            # An earlier bad answer may be the cause.
            if not state.is_broken:
                raise
    names = {question.name for question in questions}
    answers = Answers(
        values=state.values,
        origin=state.origin,
        hidden=frozenset(state.hidden),
        secret=frozenset(question.name for question in questions if question.secret),
        leftovers={key: value for key, value in layers.stored.items() if key not in names and key[:1] != "_"},
        folder_name=folder_name,
        warnings=tuple(state.warnings),
        unused=state.unused,
    )
    return Resolution(prompts=state.prompts, dropped=state.dropped, problems=state.problems, _answers=answers)


def read_data_file(path: Path) -> dict[str, Any]:
    """Read answers from a YAML file. Skip keys that start with `_`, as in an answers file.

    Raises:
        BadInputError: The file cannot be read or is not a mapping.
    """
    return {key: value for key, value in read_mapping(path).items() if not key.startswith("_")}


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file with one mapping, such as an answers file, including `_src_path` and `_commit`.

    Raises:
        BadInputError: The file cannot be read or is not a mapping.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", _FORM) from error
    return mapping(text, str(path))


def mapping(text: str | bytes, path: str) -> dict[str, Any]:
    """Return the mapping in a YAML text.

    Args:
        path: Its origin, for the error.

    Raises:
        BadInputError: The text is not a mapping.
    """
    try:
        content = yamltext.load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.", _FORM) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise BadInputError(f"{path} is not a mapping from questions to answers.", _FORM)
    return content


@dataclass
class _State:
    """The state while the questions are answered in order."""

    template: Template
    layers: Layers
    folder_name: str
    with_prompts: bool
    context: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Origin] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    problems: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)
    prompts: dict[str, Prompt] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)

    @property
    def is_broken(self) -> bool:
        """Whether an answer was refused. Later errors may be a consequence."""
        return bool(self.problems or self.dropped)

    def check_keys(self, names: list[str]) -> None:
        """Record unknown keys, and set the variables that every question sees."""
        source = self.template.source
        # As in Copier, earlier questions see given answers to later ones, as they were written.
        self.context = {
            **{key: value for key, value in self.layers.detected.items() if _inert(value)},
            **{key: value for key, value in self.layers.stored.items() if _inert(value)},
            **{key: value for key, value in self.layers.given().items() if _inert(value)},
            **({"_src_path": source.src_path} if source.src_path else {}),
            **({"_commit": source.commit} if source.commit else {}),
            "_folder_name": self.folder_name,
            "_copier_phase": "prompt",
        }
        for key in self.layers.given():
            if key not in names:
                self.problems.append((key, f"unknown question.{nearest(key, names)}"))

    def answer(self, question: Question) -> None:
        """Answer a question, or record why it has no answer."""
        name = question.name
        stored, why_not = self._stored(question)
        asked = question.asked(self.template, self.context)
        if not asked:
            self.hidden.add(name)
            if name not in self.layers.given():
                self.context.pop(name, None)
        if name in self.layers.given():
            self._take_given(question, asked)
            return
        said = self._said(question) if asked else MISSING
        if said is not MISSING:
            self._note(question, said, "asked")
            self._set(name, said, "asked")
            return
        if why_not and asked:
            self.unused[name] = why_not
            self.warnings.append(not_used(name, why_not))
        default, origin = self._default(question, asked, stored)
        if asked:
            self._note(question, default, origin)
        if default is MISSING:
            if asked and name not in dict(self.problems):
                self.problems.append((name, f"it needs an answer: -d {name}=…{self._wanted(question)}"))
            return
        if asked and origin == "default" and not question.secret:
            try:
                question.validate(self.template, self.context, default)
            except RefusedError as error:
                # An earlier bad answer may be the cause.
                if not self.is_broken:
                    self.problems.append((name, f"the default is not valid: {error} Give -d {name}=…"))
        self._set(name, default, origin)

    def _set(self, name: str, value: Any, origin: Origin) -> None:
        self.values[name] = self.context[name] = value
        self.origin[name] = origin

    def _stored(self, question: Question) -> tuple[Any, str]:
        """Return the stored answer and an empty text, or `MISSING` and why it is not used."""
        if question.name not in self.layers.stored:
            return MISSING, ""
        try:
            return self._check(question, self.layers.stored[question.name]), ""
        except _REFUSED as error:
            if question.name not in self.layers.given():
                self.context.pop(question.name, None)
            return MISSING, str(error)

    def _wanted(self, question: Question) -> str:
        """Return how to write the answer, from the validator's message about an empty text."""
        if self.is_broken or question.type != "str":
            return ""
        try:
            self._check(question, "")
        except _REFUSED as error:
            return f" ({error})"
        return ""

    def _said(self, question: Question) -> Any:
        """Return the user's answer. If it is missing or no longer valid, return `MISSING`."""
        name = question.name
        if name not in self.layers.asked:
            return MISSING
        try:
            return self._check(question, self.layers.asked[name])
        except _REFUSED as error:
            self.dropped[name] = str(error)
            return MISSING

    def _note(self, question: Question, default: Any, origin: Origin) -> None:
        """Store the prompt of a question, if prompts are requested."""
        if self.with_prompts:
            self.prompts[question.name] = self._prompt(question, default, origin)

    def _take_given(self, question: Question, asked: bool) -> None:
        name = question.name
        try:
            value = self._check(question, self.layers.given()[name])
        except _REFUSED as error:
            self.problems.append((name, str(error)))
            # Continue, to find other errors, with the bad answer if it has the right type, else with the default.
            if isinstance(error, RefusedError) and not error.chosen:
                self.context[name] = error.value
            else:
                default, _ = self._default(question, asked, MISSING)
                self.context[name] = None if default is MISSING else default
            return
        if not asked:
            self.warnings.append(f"{name} does not apply to the other answers, so {shown(value)} is not stored.")
        self._set(name, value, self.layers.origin(name))

    def _default(self, question: Question, asked: bool, stored: Any) -> tuple[Any, Origin]:
        """Return the stored, detected or default answer and its origin. The answer may be `MISSING`."""
        name = question.name
        if asked and stored is not MISSING:
            return stored, "stored"
        if asked and name in self.layers.detected:
            found = self.layers.detected[name]
            try:
                return self._check(question, found), "detected"
            except _REFUSED as error:
                self.warnings.append(f"{name}: {shown(found)} was detected, but is not used: {error}")
        default = question.default_value(self.template, self.context)
        if default is MISSING:
            return MISSING, "default"
        try:
            return question.parse(self.template, self.context, default), "default"
        except _REFUSED as error:
            if not self.is_broken:
                self.problems.append((name, f"the default is not valid: {error} Give -d {name}=…"))
            return MISSING, "default"

    def _check(self, question: Question, answer: Any) -> Any:
        return _checked(self.template, self.context, question, answer)

    def _prompt(self, question: Question, default: Any, origin: Origin) -> Prompt:
        # The prompt sees the answers before it, even if it is used after later ones.
        context = dict(self.context)
        return Prompt(
            question=question,
            message=question.message(self.template, context),
            type_name=question.type_name(self.template, context),
            choices=question.offered(self.template, context),
            default=default,
            origin=origin,
            asked_by_copier=question.asked_by_copier(self.template, context),
            check=lambda answer: _checked(self.template, context, question, answer),
        )


def _checked(template: Template, context: Mapping[str, Any], question: Question, answer: Any) -> Any:
    check_inert(answer)
    value = question.parse(template, context, answer)
    check_inert(value)
    question.validate(template, context, value)
    return value


def _inert(value: Any) -> bool:
    try:
        check_inert(value)
    except WrongTypeError:
        return False
    return True


def _bad(problems: list[tuple[str, str]]) -> BadAnswerError:
    """Return one error that lists every bad answer."""
    lines = [f"{key}: {message}" for key, message in problems]
    return BadAnswerError(
        lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} answers are not valid:", *lines]),
        "Give the answer with -d KEY=VALUE or in the data file.",
        answers=[{"key": key, "message": message} for key, message in problems],
    )
