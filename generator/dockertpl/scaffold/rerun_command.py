"""Commands that repeat a run of the wizard without questions."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockertpl.scaffold.session import Session
from dockertpl.template.answers import Answers
from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview

if TYPE_CHECKING:
    from dockertpl.scaffold.prepare import Scaffold

#: The published template, in Copier's short form.
SHORT_SOURCE = "gh:org/dockertpl"


def again(session: Session, destination: Path, data_file: Path | None) -> str:
    """Return the `dockertpl new` that continues with the answers so far."""
    bot = session.actions.bot
    flags = ["--update-bot", bot] if bot else []
    if session.actions.patch_next_config:
        flags.append("--patch-next-config")
    return shlex.join([*_ours(session, destination, data_file), *flags])


def ours(session: Session, destination: Path, data_file: Path | None, scaffold: Scaffold) -> str:
    """Return the `dockertpl new` that writes the same files without questions."""
    flags = ["--defaults"]
    extra = {entry.path for entry in scaffold.extra}
    if scaffold.bot and scaffold.bot.path in extra:
        flags += ["--update-bot", scaffold.bot.bot]
    if scaffold.patch and scaffold.patch.path in extra:
        flags.append("--patch-next-config")
    if scaffold.adopted:
        flags += ["--adopt-file", scaffold.actions.adopt_file] if scaffold.actions.adopt_file else ["--adopt"]
        flags += ["--accept-dropped"] if scaffold.adopted.drops else []
    elif scaffold.replaced:
        flags.append("--replace")
    return shlex.join([*_ours(session, destination, data_file), *flags])


def _ours(session: Session, destination: Path, data_file: Path | None) -> list[str]:
    words = ["dockertpl", "new", *([] if destination == Path() else [str(destination)])]
    if not session.detecting:
        words.append("--no-detect")
    if data_file:
        words += ["--data-file", str(data_file)]
    interview = session.interview
    said = {
        key: interview.said[key]
        for key, prompt in interview.prompts.items()
        if key in interview.said and key not in interview.dropped and not prompt.question.secret
    }
    return words + _flags({**session.given, **said})


def copiers(template: Template, answers: Answers, root: Path) -> str:
    """Return the `copier copy` that gives the same answers without questions."""
    where = "." if root == Path.cwd() else str(root)
    return shlex.join(["copier", "copy", "--defaults", *_flags(_differing(template, answers)), SHORT_SOURCE, where])


def _differing(template: Template, answers: Answers) -> dict[str, Any]:
    """Return the answers that differ from the template's defaults, given the answers before them."""
    interview = Interview(template, folder_name=answers.folder_name)
    differing = {}
    for key, value in answers.remembered().items():
        prompt = interview.prompts.get(key)
        if prompt and prompt.default != value:
            interview.say(key, value)
            differing[key] = value
    return differing


def _flags(answers: Mapping[str, Any]) -> list[str]:
    return [word for key, value in answers.items() for word in ("-d", f"{key}={typed(value)}")]


def typed(value: Any) -> str:
    """Return a value for the command line: text as it is, anything else as JSON, which is also YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
