"""The wizard's words for the questions: groups from `templates/groups.json`, texts from `templates/wizard.yml`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from dockertpl.errors import TemplateError
from dockertpl.template.environment import Template

WORDS = "templates/wizard.yml"
GROUPS = "templates/groups.json"

#: Questions that the wizard does not show. `customize` opens others that it shows anyway. `dockertpl pin` sets digests.
NOT_SHOWN = frozenset({"customize", "digests"})

# Every value is text, so this loader does not look for other types.
_Loader: type[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_QUESTION_KEYS = frozenset({"title", "why", "effects", "default", "example"})
_GROUP_KEYS = frozenset({"name", "title", "questions"})


@dataclass(frozen=True, kw_only=True)
class Group:
    """Questions that are shown together.

    Attributes:
        name: A single word.
        title: Their topic.
        questions: Their names, in the order of the wizard.
    """

    name: str
    title: str
    questions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Words:
    """The texts of a question.

    Attributes:
        title: A short name for tables.
        why: The reason for its default.
        effects: The cost of a choice or a list item, as one text or one per kind.
        default: The default in words, if it depends on other answers.
        example: An example answer, as YAML.
    """

    title: str
    why: str
    effects: Mapping[str, str | Mapping[str, str]]
    default: str = ""
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """The texts of all questions of a template.

    Attributes:
        groups: The groups in the order of the wizard. Each question is in one.
        questions: The texts by question.
    """

    groups: tuple[Group, ...]
    questions: Mapping[str, Words]

    def group_of(self, name: str) -> Group:
        """Return a question's group.

        Raises:
            KeyError: The question does not exist.
        """
        for group in self.groups:
            if name in group.questions:
                return group
        raise KeyError(name)

    def title(self, name: str) -> str:
        """Return a question's short name for tables.

        Raises:
            KeyError: The question does not exist.
        """
        return self.questions[name].title

    def why(self, name: str) -> str:
        """Return the reason for a question's default.

        Raises:
            KeyError: The question does not exist.
        """
        return self.questions[name].why

    def effect(self, name: str, value: Any, kind: str = "") -> str:
        """Return the measured cost of a choice or a list item, or an empty text.

        Args:
            name: The question's name.
            value: The choice or item.
            kind: The kind of image. Without it, costs that differ by kind are left out.

        Raises:
            KeyError: The question does not exist.
        """
        key = str(value).lower() if isinstance(value, bool) else str(value)
        effect = self.questions[name].effects.get(key, "")
        return effect if isinstance(effect, str) else effect.get(kind, "")


def load(template: Template) -> Presentation:
    """Read the texts of a template's questions.

    Raises:
        TemplateError: A file is missing or malformed, names an unknown question, or leaves one out.
    """
    root = template.source.root
    groups_file, words_file = root / GROUPS, root / WORDS
    try:
        groups = tuple(_group(raw) for raw in json.loads(groups_file.read_bytes()))
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"{groups_file} cannot be read as groups of questions: {error!r}") from error
    try:
        # This loader is safe.
        content = yaml.load(words_file.read_bytes(), Loader=_Loader)  # noqa: S506
        questions = {name: _words(raw) for name, raw in content["questions"].items()}
    except (OSError, yaml.YAMLError, RecursionError) as error:
        raise TemplateError(f"{words_file} cannot be read: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TemplateError(f"{words_file} does not have the form of questions: {error!r}") from error
    _check_names(str(words_file), list(questions), template)
    _check_names(str(groups_file), [name for group in groups for name in group.questions], template)
    return Presentation(groups=groups, questions=questions)


def _group(raw: Mapping[str, Any]) -> Group:
    if raw.keys() != _GROUP_KEYS or not isinstance(raw["questions"], list):
        raise ValueError(f"a group has {', '.join(sorted(_GROUP_KEYS))}")
    questions = tuple(_text(name) for name in raw["questions"] if name not in NOT_SHOWN)
    return Group(name=_text(raw["name"]), title=_text(raw["title"]), questions=questions)


def _words(raw: Mapping[str, Any]) -> Words:
    if unknown := raw.keys() - _QUESTION_KEYS:
        raise ValueError(f"a question sets {', '.join(sorted(unknown))}")
    effects = {value: _effect(effect) for value, effect in raw.get("effects", {}).items()}
    more = {key: _text(raw[key]) for key in ("default", "example") if key in raw}
    return Words(title=_text(raw["title"]), why=_text(raw["why"]), effects=effects, **more)


def _effect(raw: Any) -> str | Mapping[str, str]:
    return {kind: _text(text) for kind, text in raw.items()} if isinstance(raw, dict) else _text(raw)


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise ValueError(f"{raw!r} is not a text")
    return raw


def _check_names(where: str, names: list[str], template: Template) -> None:
    """Refuse unknown questions, and questions that are missing or named twice."""
    known = template.config.questions.keys() - NOT_SHOWN
    for what, wrong in (
        ("names unknown questions", [name for name in names if name not in known]),
        ("leaves out", [name for name in known if name not in names]),
        ("names twice", sorted({name for name in names if names.count(name) > 1})),
    ):
        if wrong:
            raise TemplateError(f"{where} {what}: {', '.join(wrong)}.")
