"""What the texts of pull requests and of issues have in common."""

from __future__ import annotations

import json
import re
import shlex
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from dockertpl.fleet.markup import code, cut, link, web_address
from dockertpl.fleet.texts.lines import conflicting
from dockertpl.merge.image_update import Upgrade
from dockertpl.merge.update import FileChange, Step
from dockertpl.screen import printable
from dockertpl.template.environment import Template
from dockertpl.template.source import expand

#: GitHub takes 65,536 characters, GitLab a million; counted in bytes it fits however they count.
LIMIT = 60_000
#: How copier names the answers file of an application at the root, which needs no option.
_USUAL = ".copier-answers.yml"

#: What became of a file, in words.
OUTCOMES: dict[FileChange, str] = {
    "unchanged": "as it was",
    "created": "new",
    "updated": "updated",
    "merged": "merged with yours",
    "conflicted": "conflict",
    "removed": "removed",
    "kept": "yours stays",
    "deleted": "deleted here, and stays so",
    "exists": "is here already",
}


def version(template: Template) -> str:
    """Return what a version of a template is called; nothing where it has no name."""
    return template.source.commit or ""


def word(text: str) -> str:
    """Return a name as one word that means nothing in a title or in the message of a commit.

    Args:
        text: Anybody's text.
    """
    return re.sub(r"[^\w.+/:-]", "_", cut(printable(text), 60).replace("…", "_")) or "_"


def origin(upgrade: Upgrade) -> str:
    """Return where a template is from, without a user's name or password; nothing where nothing says it."""
    source = upgrade.pair.new.source.src_path or upgrade.pair.old.source.src_path or ""
    return web_address(expand(source)) or re.sub(r"\A(\w[\w+.-]*://)?[^/]*@", r"\1", source)


def template_link(upgrade: Upgrade) -> str:
    """Return the template's name as Markdown, with a link if it is on the web."""
    source = origin(upgrade)
    name = re.sub(r"\.git\Z", "", source.rstrip("/").rsplit("/", 1)[-1]) or source
    return link(code(name), re.sub(r"\.git\Z", "", source)) if source else "its template"


def files_address(upgrade: Upgrade) -> str:
    """Return the address below which the new version's files are shown; nothing where it is not known."""
    address = re.sub(r"\.git\Z", "", web_address(origin(upgrade)))
    name = version(upgrade.pair.new)
    if not address or not re.fullmatch(r"[\w.+-]+", name, re.ASCII):
        return ""
    host = address.split("/")[2]
    folder = "/-/blob" if "gitlab" in host else "/blob" if "github" in host else ""
    return f"{address}{folder}/{name}/" if folder else ""


def command(upgrade: Upgrade) -> str:
    """Return the command by which a person makes this update."""
    parts = ["dockertpl", "update"]
    if upgrade.answers_file != _USUAL:
        parts += ["--answers-file", upgrade.answers_file]
    if name := version(upgrade.pair.new):
        parts += ["--to", name]
    return " ".join(shlex.quote(printable(part)) for part in parts)


def answer(value: Any) -> str:
    """Return an answer as a piece of code."""
    return code(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str), 100)


def where(step: Step) -> str:
    """Return which lines of a file conflict, in words; nothing where that is not known."""
    lines = conflicting(step)
    named = ", ".join(map(str, lines[:20])) + (", …" if len(lines) > 20 else "")
    return f"{'line' if named.isdigit() else 'lines'} {named}" if lines else ""


def within(lines: Iterable[str], limit: int) -> tuple[list[str], int]:
    """Return the lines that fit, and how many do not.

    Args:
        lines: The lines.
        limit: How many bytes they may have.
    """
    kept: list[str] = []
    left = 0
    for line in lines:
        limit -= len(line.encode()) + 1
        if limit < 0 or left:
            left += 1
        else:
            kept.append(line)
    return kept, left


def shown_within(text: str, limit: int, show: Callable[[str], str]) -> tuple[str, bool]:
    """Return as many of a text's first lines as fit when they are shown.

    Args:
        text: The text.
        limit: How many bytes what is shown may have.
        show: Returns what is shown of a text.

    Returns:
        What is shown, nothing if not one line fits; and whether lines are missing.
    """
    lines = [cut(line, 1_000) for line in printable(text).removesuffix("\n").split("\n")]
    # Whatever is shown is not shorter than the text, so that no more lines need be tried.
    most, _ = within(lines, limit)
    best = bisect_right(range(1, len(most) + 1), limit, key=lambda number: len(show(_first(lines, number)).encode()))
    return (show(_first(lines, best)) if best else "", best < len(lines))


def _first(lines: list[str], number: int) -> str:
    return "\n".join(lines[:number])


def rendered(name: str, **context: Any) -> str:
    """Render one of this package's templates.

    Args:
        name: Its file.
        context: What it names. It escapes nothing: what is Markdown is made so before.
    """
    return _environment().get_template(name).render(context)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "data"),
        autoescape=False,  # noqa: S701 - no HTML: Markdown, in which each value is escaped by what it is
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
