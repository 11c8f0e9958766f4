"""How a new version of a template, or `-d`, changes stored answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import jinja2

from dockertpl.errors import BadInputError
from dockertpl.template.answers import Answers, resolve
from dockertpl.template.environment import Template
from dockertpl.template.questions import MISSING, Question, RefusedError, load
from dockertpl.template.values import WrongTypeError
from dockertpl.template.versions import Pair

#: Answers that decide which files an answers file owns. An update cannot change them.
_FIXED = ("kind", "name", "app_dir")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The changes to the stored answers, by question.

    Attributes:
        added: Answers to new questions.
        removed: Stored answers to questions that are gone or do not apply.
        changed: The stored answer and the one from `-d`.
        reset: The stored answer that the template no longer accepts, and the default that replaces it.
        not_recomputed: The stored answer that was a default, and the current default.
        unused: Why the template does not accept the stored answer, for questions of `reset`.
    """

    added: Mapping[str, Any]
    removed: Mapping[str, Any]
    changed: Mapping[str, tuple[Any, Any]]
    reset: Mapping[str, tuple[Any, Any]]
    not_recomputed: Mapping[str, tuple[Any, Any]]
    unused: Mapping[str, str] = field(default_factory=dict)

    def why(self, key: str) -> str:
        """Return the reason why a stored answer is not valid in brackets, or an empty text if it is unknown."""
        reason = self.unused.get(key, "").rstrip(".")
        return f" ({reason})" if reason else ""


def stored_answers(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of an answers file, without the keys about their origin."""
    return {key: value for key, value in content.items() if not key.startswith("_")}


def carried(
    pair: Pair, stored: Mapping[str, Any], data: Mapping[str, str], *, folder_name: str, where: str
) -> tuple[Answers, Answers, Difference]:
    """Resolve both versions' answers. The new ones come from `-d`, the stored answers or the defaults, as in Copier.

    Args:
        pair: The versions.
        stored: The stored answers.
        data: Answers of the command line.
        folder_name: The name of the repository's folder.
        where: The answers file's name, for errors.

    Returns:
        The old version's answers, the new version's, and the difference.

    Raises:
        BadAnswerError: A given answer is refused, or a new question has no default.
        BadInputError: The kind, name or folder of the image would change.
        TemplateError: A version cannot be rendered.
    """
    old = resolve(pair.old, folder_name=folder_name, stored=stored)
    new = resolve(pair.new, folder_name=folder_name, stored=stored, data=data)
    for key in _FIXED:
        if key in stored and new.values.get(key, stored[key]) != stored[key]:
            raise BadInputError(
                f"{where} is for the {key} {stored[key]!r}, and an update cannot change it to {new.values[key]!r}.",
                "That would be another image. Remove this one's files, then run dockertpl new.",
            )
    return old, new, _difference(pair, stored, data, old, new)


def _difference(
    pair: Pair, stored: Mapping[str, Any], data: Mapping[str, str], old: Answers, new: Answers
) -> Difference:
    kept = new.remembered()
    reset = {
        key: (stored[key], value)
        for key, value in kept.items()
        if key in stored and key not in data and new.origin[key] == "default"
    }
    return Difference(
        added={key: value for key, value in kept.items() if key not in stored},
        removed={key: value for key, value in stored.items() if key not in kept},
        changed={
            key: (stored[key], kept[key]) for key in data if key in stored and key in kept and stored[key] != kept[key]
        },
        reset=reset,
        not_recomputed=_not_recomputed(pair, old, new),
        unused={key: why for key, why in new.unused.items() if key in reset},
    )


def _not_recomputed(pair: Pair, old: Answers, new: Answers) -> dict[str, tuple[Any, Any]]:
    before = {question.name: question for question in load(pair.old)}
    found = {}
    for question in load(pair.new):
        name = question.name
        if new.origin.get(name) != "stored" or name not in before or name in new.hidden:
            continue
        value = new.values[name]
        now = _default(pair.new, question, new)
        if now not in (MISSING, value) and _default(pair.old, before[name], old) == value:
            found[name] = (value, now)
    return found


def _default(template: Template, question: Question, answers: Answers) -> Any:
    """Return the default of a question, given all answers, in its type. Or return `MISSING`."""
    context = answers.context()
    with suppress(jinja2.TemplateError, RefusedError, WrongTypeError):
        default = question.default_value(template, context)
        if default is not MISSING:
            return question.parse(template, context, default)
    return MISSING
