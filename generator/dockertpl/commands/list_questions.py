"""`dockertpl questions`: list the answers, or describe one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from dockertpl.errors import BadInputError
from dockertpl.screen import terminal_size
from dockertpl.template.conditions import one_of
from dockertpl.template.environment import Template
from dockertpl.template.question_pages import Page, Pages, terminal
from dockertpl.template.source import bundled
from dockertpl.template.suggest import nearest

_MOST_WIDTH = 100


def run(*, name: str | None, kind: str | None, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    """List the questions, or describe one.

    Args:
        name: The question to describe. None lists all.
        kind: Only what this kind of image asks.

    Returns:
        The exit code and the result for `--json`.

    Raises:
        BadInputError: The question or kind does not exist, or the kind does not ask it.
    """
    template = Template(bundled())
    kinds = Pages(template).all_kinds
    if kind and kind not in kinds:
        raise BadInputError(f"{kind!r} is not a kind of image.{nearest(kind, kinds)}", f"Use {', '.join(kinds)}.")
    pages = Pages(template, kind or "")
    if name is None:
        sections = pages.sections()
        if not quiet:
            click.echo(_listed(sections, kinds))
        every = [page for by_kinds in sections.values() for found in by_kinds.values() for page in found]
        return 0, {"questions": [page.as_json() for page in every]}
    if name not in pages.names:
        raise BadInputError(
            f"{name!r} is not a question.{nearest(name, pages.names)}", "List all of them with: dockertpl questions"
        )
    page = pages.page(name)
    if not page.kinds:
        asking = ", ".join(Pages(template).page(name).kinds)
        raise BadInputError(f"The kind {kind} does not ask {name}.", f"These kinds do: {asking}.")
    if not quiet:
        width = min(terminal_size(sys.stdout).columns, _MOST_WIDTH)
        click.echo(terminal(page, width))
    return 0, {"questions": [page.as_json()]}


def _listed(sections: Mapping[str, Mapping[tuple[str, ...], list[Page]]], kinds: tuple[str, ...]) -> str:
    lines = []
    for group, by_kinds in sections.items():
        lines += [group, ""]
        for asking, pages in by_kinds.items():
            whom = "every kind" if asking == kinds else one_of(asking, "and").replace("`", "")
            lines.append(f"  For {whom}:")
            lines += [f"    {page.name:<22}{page.title}" for page in pages]
            lines.append("")
    return "\n".join([*lines, "Describe one with: dockertpl questions NAME"])
