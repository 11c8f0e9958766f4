"""Write questions.md from copier.yml: `python docs/reference/generate.py`. A test holds it to be current."""

from __future__ import annotations

import json
from pathlib import Path

from dockertpl.template.environment import Template
from dockertpl.template.questions import Question, load
from dockertpl.template.source import bundled

TARGET = Path(__file__).with_name("questions.md")
HEAD = """\
# Questions

Made from `copier.yml` by `docs/reference/generate.py`; change it there. Every question has a default.
`-d KEY=VALUE` answers one; lists are written `[one, two]`.

| key | type | default | asks | when |
|---|---|---|---|---|
"""


def _code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "`` " + " ".join(text.split()).replace("|", "\\|") + " ``" if text else "(empty)"


def row(question: Question) -> str:
    """Return a question as a row of the table."""
    choices = question.choices.values() if isinstance(question.choices, dict) else question.choices or ()
    asks = question.help + (" " + ", ".join(f"`{choice}`" for choice in choices) if choices else "")
    when = str(question.when).removeprefix("{{ ").removesuffix(" }}")
    cells = [f"`{question.name}`", question.type, _code(question.default), asks.replace("|", "\\|")]
    return "| " + " | ".join([*cells, "" if question.when is True else _code(when)]) + " |"


def text() -> str:
    """Return the page."""
    return HEAD + "\n".join(row(question) for question in load(Template(bundled()))) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
