"""One page for each question of a template: what it asks, its default, when it is asked, its choices, an example.

`dockertpl questions` prints the pages, and `docs/reference/generate.py` writes them as Markdown.
"""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from jinja2 import nodes

from dockertpl.errors import TemplateError
from dockertpl.template import conditions, presentation, values
from dockertpl.template.conditions import Condition, UnreadableError, one_of
from dockertpl.template.environment import Template
from dockertpl.template.presentation import Words
from dockertpl.template.questions import MISSING, Question, load

_TYPES = {"bool": "`true` or `false`", "int": "number", "float": "number", "str": "text", "json": "JSON"}
# The wizard shows neither of them, so `templates/wizard.yml` has no words for them.
_NO_WORDS = Words(title="", why="", effects={})
_TITLES = {"customize": "Groups to open", "digests": "Digests"}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A choice, or an item of a list.

    Attributes:
        value: The answer.
        label: What it is. Empty if the value says it.
        kind: The kind of image that offers it. Empty if all do.
        effect: What it costs, as far as it was measured.
    """

    value: str
    label: str
    kind: str
    effect: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is known about one question. Code in its texts is in backticks.

    Attributes:
        name: The answer's key.
        title: A few words for it.
        group: The title of the group that it is in.
        kinds: The kinds of image that ask it.
        type: What an answer is: text, number, list.
        help: What is asked.
        default: The default in words.
        why: The reason for the default.
        asked: When it is asked.
        choices: The choices, or the items that have an effect.
        example: The option of `dockertpl new` that answers it. May be empty.
    """

    name: str
    title: str
    group: str
    kinds: tuple[str, ...]
    type: str
    help: str
    default: str
    why: str
    asked: str
    choices: tuple[Choice, ...]
    example: str

    def as_json(self) -> Mapping[str, Any]:
        """Return the page for `--json`."""
        return {**asdict(self), "kinds": list(self.kinds), "choices": [asdict(choice) for choice in self.choices]}


class Pages:
    """The pages of a template's questions."""

    def __init__(self, template: Template, kind: str = "") -> None:
        """Read the questions.

        Args:
            kind: Only include what this kind asks. Empty means all kinds.

        Raises:
            TemplateError: The questions, or the words for them, cannot be read.
        """
        self._template = template
        self._presentation = presentation.load(template)
        self._questions = {question.name: question for question in load(template)}
        self.all_kinds: tuple[str, ...] = tuple(
            str(choice.value) for choice in self._questions["kind"].offered(template, {})
        )
        self._kinds = (kind,) if kind else self.all_kinds

    @property
    def names(self) -> list[str]:
        """The questions' names."""
        return list(self._questions)

    def sections(self) -> dict[str, dict[tuple[str, ...], list[Page]]]:
        """Return the pages by the title of their group, and in it by the kinds that ask them."""
        sections: dict[str, dict[tuple[str, ...], list[Page]]] = {}
        for name in self._questions:
            page = self.page(name)
            if page.kinds:
                sections.setdefault(page.group, {}).setdefault(page.kinds, []).append(page)
        order = [group.title for group in self._presentation.groups]
        return {
            group: dict(sorted(sections[group].items(), key=lambda item: (-len(item[0]), self._place(item[0]))))
            for group in sorted(sections, key=order.index)
        }

    def _place(self, kinds: tuple[str, ...]) -> list[int]:
        return [self.all_kinds.index(kind) for kind in kinds]

    def page(self, name: str) -> Page:
        """Return the page of one question.

        Raises:
            KeyError: The question does not exist.
        """
        question = self._questions[name]
        words = self._presentation.questions.get(name, _NO_WORDS)
        asked = {kind: _left(question.when, {"kind": kind}, self._offered[kind]) for kind in self._kinds}
        kinds = tuple(kind for kind, condition in asked.items() if condition is not False)
        choices = self._choices(question, words, kinds)
        return Page(
            name=name,
            title=words.title or _TITLES.get(name, name),
            group=self._group(name).title,
            kinds=kinds,
            type="" if question.choices else self._type(question, kinds),
            help=question.help,
            default=words.default or self._default(question, kinds),
            why=words.why,
            asked=self._asked(question, asked),
            choices=choices,
            example=self._example(question, words, kinds, choices),
        )

    def _group(self, name: str) -> presentation.Group:
        return next(
            (group for group in self._presentation.groups if name in group.questions), self._presentation.groups[0]
        )

    @cached_property
    def _offered(self) -> dict[str, dict[str, list[Any]]]:
        """The choices by kind and question, as far as they depend on the kind only."""
        offered: dict[str, dict[str, list[Any]]] = {}
        for kind in self.all_kinds:
            offered[kind] = {}
            for name, question in self._questions.items():
                if question.choices and not question.multiselect:
                    found = [choice.value for choice in question.offered(self._template, {"kind": kind})]
                    offered[kind] |= {name: found} if found else {}
        return offered

    def _asked(self, question: Question, asked: Mapping[str, Condition | None]) -> str:
        """Return when a question is asked, as sentences."""
        by_condition: dict[str, list[str]] = {}
        for kind, condition in asked.items():
            if condition is not False:
                by_condition.setdefault(_if(condition), []).append(kind)
        sentences = []
        for added, kinds in sorted(by_condition.items(), key=lambda item: bool(item[0])):
            whom = "every kind" if kinds == list(self.all_kinds) else one_of(kinds, "and")
            sentences.append(f"For {whom}{added}.")
        every = [group.name.lower() for group in self._presentation.groups]
        closed, opened = (_left(question.ask, {"customize": open_}) for open_ in ([], every))
        group = self._group(question.name).name
        if opened is False:
            return "Never. Give it with `-d` or `--data-file`."
        if closed is False:
            also = _if(opened).removeprefix(" if ")
            sentences.append(f"Hidden until {f'{also} and ' if also else ''}you open the group {group}.")
        elif closed is not True:
            sentences.append(f"Asked at once{_if(closed)}, otherwise hidden until you open the group {group}.")
        return " ".join(sentences)

    def _defaults(self, question: Question, kinds: Iterable[str]) -> dict[str, Any] | None:
        """Return the default for each kind, or nothing if it depends on other answers."""
        defaults = {}
        type_ = "yaml" if question.multiselect else question.type
        for kind in kinds:
            try:
                value = question.default_value(self._template, {"kind": kind})
                defaults[kind] = value if value is MISSING else values.cast(type_, value)
            except (TemplateError, values.WrongTypeError):
                return None
        return defaults

    def _default(self, question: Question, kinds: Sequence[str]) -> str:
        defaults = self._defaults(question, kinds)
        if defaults is None:
            condition = _left(question.default, {})
            return f"the answer to {name}" if (name := _name(condition)) else "from other answers"
        if MISSING in defaults.values():
            return "none: you have to answer"
        by_value: dict[str, list[str]] = {}
        for kind, value in defaults.items():
            by_value.setdefault(f"`{_shown(value)}`", []).append(kind)
        if len(by_value) == 1:
            return next(iter(by_value))
        if len(by_value) == 2 and min(len(found) for found in by_value.values()) == 1:
            (single, [kind]), (other, _) = sorted(by_value.items(), key=lambda item: len(item[1]))
            if len(kinds) > 2:
                return f"{single} for `{kind}`, otherwise {other}"
        return ", ".join(f"{value} for {one_of(found, 'and')}" for value, found in by_value.items())

    def _type(self, question: Question, kinds: Sequence[str]) -> str:
        if question.type != "yaml":
            return _TYPES.get(question.type, question.type)
        defaults = self._defaults(question, kinds) or {}
        return "mapping" if any(isinstance(value, dict) for value in defaults.values()) else "list"

    def _choices(self, question: Question, words: Words, kinds: Sequence[str]) -> tuple[Choice, ...]:
        depends = isinstance(question.choices, str)
        choices = []
        for kind in kinds if depends else kinds[:1]:
            for offered in question.offered(self._template, {"kind": kind}):
                value = str(offered.value)
                label = re.sub(rf"^{re.escape(value)}(: |$)", "", str(offered.label))
                effect = _effect(words, value, [kind] if depends else kinds)
                choices.append(Choice(value=value, label=label, kind=kind if depends else "", effect=effect))
        if not choices:
            choices = [
                Choice(value=value, label="", kind="", effect=_effect(words, value, kinds)) for value in words.effects
            ]
        return tuple(choices)

    def _example(self, question: Question, words: Words, kinds: Sequence[str], choices: Sequence[Choice]) -> str:
        value = words.example or self._other_answer(question, kinds, choices)
        if not value or question.name == "digests":
            return ""
        return f"-d {question.name}={value if re.fullmatch(r'[A-Za-z0-9_./:@%+=,-]+', value) else shlex.quote(value)}"

    def _other_answer(self, question: Question, kinds: Sequence[str], choices: Sequence[Choice]) -> str:
        """Return an answer that is not the default where a question offers some, else the default."""
        default = next(iter((self._defaults(question, kinds[:1]) or {}).values()), None)
        if question.type == "bool":
            return _shown(not default)
        if question.choices:
            value = next((choice.value for choice in choices if choice.value != str(default)), "")
            return f"[{value}]" if question.multiselect else value
        return "" if not default or default is MISSING else _shown(default)


def _left(
    text: str | bool, known: Mapping[str, Any], offered: Mapping[str, Sequence[Any]] | None = None
) -> Condition | None:
    """Return the rest of a condition that does not depend on known answers, or None if it cannot be read."""
    try:
        return conditions.simplified(conditions.read(text), known, offered)
    except UnreadableError:
        return None


def _if(condition: Condition | None) -> str:
    if condition is True:
        return ""
    try:
        return f" if {conditions.words(condition)}" if condition else " if other answers ask for it"
    except UnreadableError:
        return " if other answers ask for it"


def _name(condition: Condition | None) -> str:
    return f"`{condition.name}`" if isinstance(condition, nodes.Name) else ""


def _effect(words: Words, value: str, kinds: Sequence[str]) -> str:
    effect = words.effects.get(value, "")
    if isinstance(effect, str):
        return effect
    found = {kind: text for kind, text in effect.items() if kind in kinds}
    if len(kinds) == 1:
        return found.get(kinds[0], "")
    return "; ".join(f"{text} (`{kind}`)" for kind, text in found.items())


def _shown(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, str):
        return value or '""'
    return json.dumps(value)


@dataclass(frozen=True)
class _Row:
    """A fact of a page: a label, its text, and a list of more."""

    label: str
    text: str
    items: tuple[tuple[str, str], ...] = ()


def _rows(page: Page) -> list[_Row]:
    rows = [_Row("Type", page.type)] if page.type else []
    rows.append(_Row("Default", f"{page.default}. {page.why}".strip()))
    rows.append(_Row("Asked", f"{page.asked[0].lower()}{page.asked[1:]}"))
    label = "Effect" if page.type else "Choices"
    for kind in dict.fromkeys(choice.kind for choice in page.choices):
        offered = [choice for choice in page.choices if choice.kind == kind]
        whom = f" for `{kind}`" if kind else ""
        if any(choice.label or choice.effect for choice in offered):
            items = tuple((choice.value, ". ".join(filter(None, (choice.label, choice.effect)))) for choice in offered)
            rows.append(_Row(f"{label}{whom}", "", items))
        else:
            rows.append(_Row(f"{label}{whom}", ", ".join(f"`{choice.value}`" for choice in offered)))
    return [*rows, _Row("Example", f"`{page.example}`")] if page.example else rows


def wrapped(text: str, width: int, first: str, rest: str, *, marks: bool = True) -> list[str]:
    """Return a text as lines. Code, and figures with their units, are not broken.

    Args:
        width: The longest line.
        first: What the first line begins with.
        rest: What the others begin with.
        marks: Whether code keeps its backticks.
    """
    code = re.sub(r"`[^`]*`|\d (MB|s)\b", lambda found: found.group().replace(" ", "\0"), text)
    code = code if marks else code.replace("`", "")
    lines = textwrap.wrap(
        code, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\0", " ") for line in lines]


def markdown(page: Page, width: int = 100) -> str:
    """Return a page as a section of Markdown.

    Args:
        width: The longest line, as far as code can be broken.
    """
    lines = [f"### `{page.name}`", "", *wrapped(page.help, width, "", ""), ""]
    for row in _rows(page):
        label = f"- **{row.label.replace('`', '')}**:"
        lines += wrapped(row.text, width, f"{label} ", "  ") if row.text else [label]
        for value, text in row.items:
            lines += wrapped(f"`{value}`: {text}" if text else f"`{value}`", width, "  - ", "    ")
    return "\n".join(lines) + "\n"


def terminal(page: Page, width: int) -> str:
    """Return a page as text for a terminal with so many columns."""

    def plain(text: str, first: str, rest: str) -> list[str]:
        # The marks of code take no room here, but they keep it together.
        return wrapped(text, width, first, rest, marks=False)

    lines = [f"{page.name}: {page.title}", "", *plain(page.help, "", ""), ""]
    for row in _rows(page):
        label = f"{row.label}:".replace("`", "")
        lines += plain(row.text, f"{label:<10}", " " * 10) if row.text else [label]
        column = max((len(value) for value, _ in row.items), default=0) + 4
        for value, text in row.items:
            lines += plain(text, f"  {value}".ljust(column), " " * column) if text else [f"  {value}"]
    return "\n".join(lines)
