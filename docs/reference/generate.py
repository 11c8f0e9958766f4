"""Write questions.md from copier.yml and templates/wizard.yml: `python docs/reference/generate.py`.

A test holds it to be current.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from dockertpl.template import presentation
from dockertpl.template.environment import Template
from dockertpl.template.presentation import Presentation
from dockertpl.template.questions import Question, load
from dockertpl.template.source import bundled

TARGET = Path(__file__).with_name("questions.md")
HEAD = """\
# Questions

Made by `docs/reference/generate.py` from `copier.yml`, and from `templates/wizard.yml` what the wizard says beside a
question; change it there. Every question has a default; where it is `UNSET`, only you know the answer. `-d KEY=VALUE`
answers one; lists are written `[one, two]`.
[How the figures were measured](../explanation/figures.md).

| key | type | default | why this default | asks | when |
|---|---|---|---|---|---|
"""


def _code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "`` " + " ".join(text.split()).replace("|", "\\|") + " ``" if text else "(empty)"


def _effects(name: str, words: Presentation) -> str:
    """Return what a question's choices cost, a sentence each."""
    sentences = []
    if name in presentation.NOT_SHOWN:
        return ""
    for value, effect in words.questions[name].effects.items():
        texts = [effect] if isinstance(effect, str) else [f"{text} ({kind})" for kind, text in effect.items()]
        sentences.append(f" `{value}`: {'; '.join(texts)}.")
    return "".join(sentences)


def _choices(question: Question, template: Template) -> str:
    """Return a question's choices as a sentence, or one for each kind where they depend on it."""
    if not isinstance(question.choices, str):
        offered = question.choices.values() if isinstance(question.choices, dict) else question.choices
        return _listed(offered)
    kinds = template.config.questions["kind"]["choices"].values()
    by_kind = {kind: [choice.value for choice in question.offered(template, {"kind": kind})] for kind in kinds}
    return "".join(f"{_listed(offered, f' ({kind})')}" for kind, offered in by_kind.items() if offered)


def _listed(offered: Iterable[object], note: str = "") -> str:
    names = ", ".join(f"`{choice}`" for choice in offered)
    return f" {names}{note}." if names else ""


def row(question: Question, template: Template, words: Presentation) -> str:
    """Return a question as a row of the table."""
    asks = question.help + _choices(question, template) + _effects(question.name, words)
    when = str(question.when).removeprefix("{{ ").removesuffix(" }}")
    why = "" if question.name in presentation.NOT_SHOWN else words.why(question.name)
    texts = [why.replace("|", "\\|"), asks.replace("|", "\\|")]
    cells = [f"`{question.name}`", question.type, _code(question.default), *texts]
    return "| " + " | ".join([*cells, "" if question.when is True else _code(when)]) + " |"


def text() -> str:
    """Return the page."""
    template = Template(bundled())
    words = presentation.load(template)
    return HEAD + "\n".join(row(question, template, words) for question in load(template)) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
