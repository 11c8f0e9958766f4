"""A question of `copier.yml`: its type, choices, default, condition and validator, as Copier 9.19 reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from dockertpl.errors import TemplateError
from dockertpl.template import suggest, yamltext
from dockertpl.template.environment import Template
from dockertpl.template.values import TYPES, WrongTypeError, cast, shown

_KEYS = frozenset(
    {
        *("ask", "choices", "default", "help", "multiline", "multiselect", "placeholder", "qmark", "secret", "type"),
        *("validator", "when"),
    }
)
# Copier has functions with these names, so no question can have them.
_RESERVED = frozenset({"make_secret", "now"})

Context = Mapping[str, Any]


class Missing:
    """The type of `MISSING`."""


#: The default of a question that has no default.
MISSING = Missing()


class _UnsetError(jinja2.UndefinedError):
    """A default renders to `UNSET`, which means that the question has no default."""


_UNSET = jinja2.StrictUndefined("UNSET", exc=_UnsetError)


class RefusedError(ValueError):
    """An answer is not a valid choice, or the question's validator refuses it.

    Attributes:
        value: The answer after its cast.
        chosen: Whether it is not a valid choice, so the template cannot continue with it.
    """

    def __init__(self, message: str, value: Any, *, chosen: bool) -> None:
        super().__init__(message)
        self.value = value
        self.chosen = chosen


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A choice.

    Attributes:
        label: The text to show.
        value: The answer.
        disabled: Why it cannot be chosen now, or an empty text.
    """

    label: str
    value: Any
    disabled: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question.

    Attributes:
        name: The answer's key.
        type: One of `values.TYPES`, or a Jinja template of one.
        default: The default, which may be a Jinja template, or `MISSING`.
        help: The text of the question. A Jinja template.
        choices: A list or mapping as in `copier.yml`, or a Jinja template of its YAML.
        when: Whether it applies. A bool or a Jinja template.
        ask: Whether Copier asks it if it applies. Otherwise it uses the stored answer or the default.
        multiselect: Whether the answer is a list of choices.
        validator: A Jinja template that renders the error for a bad answer, or nothing.
        secret: Whether the answer stays out of the answers file.
    """

    name: str
    type: str
    default: Any
    help: str
    choices: Any
    when: str | bool
    ask: str | bool
    multiselect: bool
    validator: str
    secret: bool

    def type_name(self, template: Template, context: Context) -> str:
        """Return the type.

        Raises:
            TemplateError: The type is unknown.
        """
        name = _value(template, self.type, context)
        if name not in TYPES:
            raise TemplateError(f"The question {self.name} has the type {name!r}. Use one of {', '.join(TYPES)}.")
        return str(name)

    def asked(self, template: Template, context: Context) -> bool:
        """Return whether the question applies to the answers so far."""
        return _is_true(_value(template, self.when, context))

    def asked_by_copier(self, template: Template, context: Context) -> bool:
        """Return whether Copier asks the question if it applies. The wizard shows it in any case."""
        return _is_true(_value(template, self.ask, context))

    def message(self, template: Template, context: Context) -> str:
        """Return the text of the question."""
        return str(_value(template, self.help, context)) or self.name

    def offered(self, template: Template, context: Context) -> list[Choice]:
        """Return the choices. Empty allows any value of the type.

        Raises:
            TemplateError: They have a form that Copier does not know.
        """
        choices = self.choices
        if isinstance(choices, str):
            choices = yamltext.load(template.text(choices, context))
        pairs = choices.items() if isinstance(choices, dict) else choices or ()
        result = []
        for item in pairs:
            disabled = ""
            if isinstance(item, list | tuple):
                label, value = item
                if isinstance(value, dict):
                    if "value" not in value:
                        raise TemplateError(f"The question {self.name} has a choice without a value.")
                    disabled = str(_value(template, value.get("validator", ""), context))
                    value = value["value"]
            else:
                label = value = item
            value = _value(template, label if value is None else value, context)
            result.append(Choice(label=str(_value(template, label, context)), value=value, disabled=disabled))
        return result

    def default_value(self, template: Template, context: Context) -> Any:
        """Return the default, rendered but not yet cast. Return `MISSING` if it renders to Copier's `UNSET`."""
        if not isinstance(self.default, str):
            return _value(template, self.default, context)
        try:
            return _value(template, self.default, {**context, "UNSET": _UNSET})
        except _UnsetError:
            return MISSING

    def parse(self, template: Template, context: Context, answer: Any) -> Any:
        """Return an answer in the question's type, and as one of its choices if it has any.

        Args:
            context: The answers so far.
            answer: A text, or a value from YAML or JSON.

        Raises:
            WrongTypeError: The answer has another type.
            RefusedError: The answer is not a valid choice.
        """
        type_name = self.type_name(template, context)
        choices = self.offered(template, context)
        if self.multiselect:
            items = cast("yaml", answer)
            if not isinstance(items, list):
                raise WrongTypeError(f"{shown(answer)} is not a list. Write it like [one, two]")
            chosen = [self._choice(type_name, choices, item) for item in items]
            # In the order of the choices, as in Copier.
            return [value for choice in choices if (value := cast(type_name, choice.value)) in chosen]
        return self._choice(type_name, choices, answer)

    def _choice(self, type_name: str, choices: Sequence[Choice], answer: Any) -> Any:
        value = cast(type_name, answer)
        if not choices:
            return value
        allowed = []
        why = ""
        for choice in choices:
            choice_value = cast(type_name, choice.value)
            if not choice.disabled:
                allowed.append(choice_value)
            if value == choice_value:
                if not choice.disabled:
                    return value
                why = why or choice.disabled
        if not why:
            names = [str(one) for one in allowed]
            why = f"{shown(value)} is not a choice: {', '.join(names)}.{suggest.choice(str(value), names)}"
            if isinstance(answer, float) and type_name == "str":
                why += " (YAML reads it as a number, so write it in quotes.)"
        raise RefusedError(why, value, chosen=True)

    def validate(self, template: Template, context: Context, value: Any) -> None:
        """Run the validator.

        Args:
            context: The answers so far.
            value: The cast answer.

        Raises:
            RefusedError: The validator refuses it. The message is the validator's.
        """
        try:
            message = template.text(self.validator, {**context, self.name: value})
        except Exception as error:
            # As in Copier: an answer that breaks the validator is not valid.
            message = f"{shown(value)} cannot be checked: {error}"
        # A validator may span lines. Its message is one paragraph.
        if message := " ".join(message.split()):
            raise RefusedError(message, value, chosen=False)


def load(template: Template) -> list[Question]:
    """Return a template's questions in the order of the dialog.

    Raises:
        TemplateError: A question uses a feature that dockertpl does not support.
    """
    return [_question(name, raw) for name, raw in template.config.questions.items()]


def _question(name: str, raw: Mapping[str, Any]) -> Question:
    unknown = sorted(raw.keys() - _KEYS)
    if unknown or name in _RESERVED:
        what = f"sets {', '.join(unknown)}" if unknown else "has a name that Copier reserves"
        raise TemplateError(
            f"The question {name} {what}, which dockertpl does not support.", "Use Copier itself for this template."
        )
    wrong = [key for key in ("help", "type", "validator") if not isinstance(raw.get(key, ""), str)]
    if wrong:
        raise TemplateError(f"The question {name} has a {wrong[0]} that is not a text. Write it in quotes.")
    default = raw.get("default", MISSING)
    type_name = raw.get("type", "")
    if not type_name:
        type_name = type(default).__name__
        type_name = type_name if type_name in TYPES else "yaml"
    secret = bool(raw.get("secret", False))
    if secret and default is MISSING:
        raise TemplateError(f"The question {name} is secret and has no default.")
    return Question(
        name=name,
        type=type_name,
        default=default,
        help=raw.get("help", ""),
        choices=raw.get("choices", []),
        when=raw.get("when", True),
        ask=raw.get("ask", True),
        multiselect=bool(raw.get("multiselect", False)),
        validator=raw.get("validator", ""),
        secret=secret,
    )


def _is_true(value: Any) -> bool:
    try:
        return bool(cast("bool", value))
    except WrongTypeError:
        # As in Copier: any word that does not mean "no".
        return bool(value)


def _value(template: Template, value: Any, context: Context) -> Any:
    """Render a value of `copier.yml` if it is a text or a list of texts. Return anything else as it is."""
    if isinstance(value, list):
        return [_value(template, item, context) for item in value]
    if not isinstance(value, str):
        return value
    try:
        return template.text(value, context)
    except _UnsetError:
        raise
    except jinja2.TemplateError as error:
        raise TemplateError(f"The template's text {shown(value)} cannot be rendered: {error}") from error
