"""Parts that pull requests and issues share."""

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

from dockertpl.fleet.markup import code, link, web_address
from dockertpl.fleet.texts.lines import conflicting
from dockertpl.merge.image_update import Upgrade
from dockertpl.merge.update import FileChange, Step
from dockertpl.screen import cut, printable
from dockertpl.template.environment import Template
from dockertpl.template.source import expand

#: GitHub accepts 65,536 characters, GitLab a million. This limit is in bytes, to be safe.
LIMIT = 60_000
#: Copier's default name of an answers file. It needs no option.
_USUAL = ".copier-answers.yml"

#: What an update does to a file, in words.
OUTCOMES: dict[FileChange, str] = {
    "unchanged": "unchanged",
    "created": "new",
    "updated": "updated",
    "merged": "merged with your edits",
    "conflicted": "conflict",
    "removed": "removed",
    "kept": "your version stays",
    "deleted": "deleted here, not restored",
    "exists": "already exists",
}


def version(template: Template) -> str:
    """Return the name of a template's version, or nothing."""
    return template.source.commit or ""


def word(text: str) -> str:
    """Return an untrusted name as one harmless word for a title or a commit message."""
    return re.sub(r"[^\w.+/:-]", "_", cut(printable(text), 60).replace("…", "_")) or "_"


def origin(upgrade: Upgrade) -> str:
    """Return the template's address without credentials, or nothing if it is unknown."""
    source = upgrade.pair.new.source.src_path or upgrade.pair.old.source.src_path or ""
    return web_address(expand(source)) or re.sub(r"\A(\w[\w+.-]*://)?[^/]*@", r"\1", source)


def template_link(upgrade: Upgrade) -> str:
    """Return the template's name in Markdown, as a link if it is on the web."""
    source = origin(upgrade)
    name = re.sub(r"\.git\Z", "", source.rstrip("/").rsplit("/", 1)[-1]) or source
    return link(code(name), re.sub(r"\.git\Z", "", source)) if source else "its template"


def files_address(upgrade: Upgrade) -> str:
    """Return the address of the folder that shows the new version's files, or nothing if it is unknown."""
    address = re.sub(r"\.git\Z", "", web_address(origin(upgrade)))
    name = version(upgrade.pair.new)
    if not address or not re.fullmatch(r"[\w.+-]+", name, re.ASCII):
        return ""
    host = address.split("/")[2]
    folder = "/-/blob" if "gitlab" in host else "/blob" if "github" in host else ""
    return f"{address}{folder}/{name}/" if folder else ""


def command(upgrade: Upgrade) -> str:
    """Return the command that makes this update by hand."""
    return update_command(upgrade.answers_file, version(upgrade.pair.new))


def update_command(answers_file: str, target: str) -> str:
    """Return the command that updates an image to a version."""
    parts = ["dockertpl", "update"]
    if answers_file != _USUAL:
        parts += ["--answers-file", answers_file]
    if target:
        parts += ["--to", target]
    return " ".join(shlex.quote(printable(part)) for part in parts)


def answer(value: Any) -> str:
    """Return an answer as inline code."""
    return code(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str), 100)


def where(step: Step) -> str:
    """Return the lines of a file that conflict, in words, or nothing if they are unknown."""
    lines = conflicting(step)
    named = ", ".join(map(str, lines[:20])) + (", …" if len(lines) > 20 else "")
    return f"{'line' if named.isdigit() else 'lines'} {named}" if lines else ""


def within(lines: Iterable[str], limit: int) -> tuple[list[str], int]:
    """Return the first lines that fit into some bytes, and the number of lines that do not."""
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
    """Show as many first lines of a text as fit.

    Args:
        text: The text.
        limit: The most bytes of the result.
        show: Formats a text, for example as a code block.

    Returns:
        The formatted text, empty if no line fits, and whether lines are missing.
    """
    lines = [cut(line, 1_000) for line in printable(text).removesuffix("\n").split("\n")]
    # Formatting never makes a text shorter, so more lines never fit.
    most, _ = within(lines, limit)
    best = bisect_right(range(1, len(most) + 1), limit, key=lambda number: len(show(_first(lines, number)).encode()))
    return (show(_first(lines, best)) if best else "", best < len(lines))


def _first(lines: list[str], number: int) -> str:
    return "\n".join(lines[:number])


def rendered(name: str, **context: Any) -> str:
    """Render one of this package's templates. Nothing is escaped, so pass Markdown."""
    return _environment().get_template(name).render(context)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "data"),
        autoescape=False,  # noqa: S701 - the output is Markdown, and `markup` escapes each value
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
