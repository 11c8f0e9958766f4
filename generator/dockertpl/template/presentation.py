"""What the wizard says beside a question: groups from `templates/groups.json`, words from `templates/wizard.yml`."""

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

#: What the wizard does not show: `customize` opens questions that it shows anyway, and `dockertpl pin` writes digests.
NOT_SHOWN = frozenset({"customize", "digests"})

# All of it is text, and this one looks at no text to see what else it might be.
_Loader: type[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_QUESTION_KEYS = frozenset({"title", "why", "effects", "default", "example"})
_GROUP_KEYS = frozenset({"name", "title", "questions"})


@dataclass(frozen=True, kw_only=True)
class Group:
    """Questions that are shown together.

    Attributes:
        name: One word.
        title: What they are about.
        questions: Their names, in the order in which they are shown.
    """

    name: str
    title: str
    questions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is said beside one question.

    Attributes:
        title: A few words that stand for the question in a table.
        why: The reason for its default.
        effects: What a choice, or an item of a list, costs; a text, or one for each kind.
        default: The default in words, where it depends on other answers.
        example: An answer to show, as YAML.
    """

    title: str
    why: str
    effects: Mapping[str, str | Mapping[str, str]]
    default: str = ""
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """What is said beside every question of a template.

    Attributes:
        groups: The groups, in the order in which they are shown; each question is in one.
        questions: What is said beside each question, by its name.
    """

    groups: tuple[Group, ...]
    questions: Mapping[str, Words]

    def group_of(self, name: str) -> Group:
        """Return a question's group.

        Args:
            name: The question's name.

        Raises:
            KeyError: There is no such question.
        """
        for group in self.groups:
            if name in group.questions:
                return group
        raise KeyError(name)

    def title(self, name: str) -> str:
        """Return the few words that stand for a question in a table.

        Args:
            name: The question's name.

        Raises:
            KeyError: There is no such question.
        """
        return self.questions[name].title

    def why(self, name: str) -> str:
        """Return the reason for a question's default.

        Args:
            name: The question's name.

        Raises:
            KeyError: There is no such question.
        """
        return self.questions[name].why

    def effect(self, name: str, value: Any, kind: str = "") -> str:
        """Return what a choice, or an item of a list, costs as far as it was measured; empty if it was not.

        Args:
            name: The question's name.
            value: The choice or item.
            kind: The kind of image; without it nothing is said where kinds differ.

        Raises:
            KeyError: There is no such question.
        """
        key = str(value).lower() if isinstance(value, bool) else str(value)
        effect = self.questions[name].effects.get(key, "")
        return effect if isinstance(effect, str) else effect.get(kind, "")


def load(template: Template) -> Presentation:
    """Read what is said beside a template's questions.

    Args:
        template: The template.

    Raises:
        TemplateError: The file is missing or laid out otherwise, names a question that there is not, or leaves one out.
    """
    root = template.source.root
    groups_file, words_file = root / GROUPS, root / WORDS
    try:
        groups = tuple(_group(raw) for raw in json.loads(groups_file.read_bytes()))
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise TemplateError(f"{groups_file} cannot be read as groups of questions: {error!r}") from error
    try:
        # The loader is a safe one.
        content = yaml.load(words_file.read_bytes(), Loader=_Loader)  # noqa: S506
        questions = {name: _words(raw) for name, raw in content["questions"].items()}
    except (OSError, yaml.YAMLError, RecursionError) as error:
        raise TemplateError(f"{words_file} cannot be read: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TemplateError(f"{words_file} is not laid out as questions: {error!r}") from error
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
        raise ValueError(f"{raw!r} is no text")
    return raw


def _check_names(where: str, names: list[str], template: Template) -> None:
    """Refuse names that are no question's, and questions that are not named just once."""
    known = template.config.questions.keys() - NOT_SHOWN
    for what, wrong in (
        ("names what is no question", [name for name in names if name not in known]),
        ("leaves out", [name for name in known if name not in names]),
        ("names twice", sorted({name for name in names if names.count(name) > 1})),
    ):
        if wrong:
            raise TemplateError(f"{where} {what}: {', '.join(wrong)}.")
