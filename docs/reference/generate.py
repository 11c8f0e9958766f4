"""Write questions.md from copier.yml and templates/wizard.yml: `python docs/reference/generate.py`.

A test compares the page with what this writes.
"""

from __future__ import annotations

from pathlib import Path

from dockertpl.template.conditions import one_of
from dockertpl.template.environment import Template
from dockertpl.template.question_pages import Page, Pages, markdown, wrapped
from dockertpl.template.source import bundled

TARGET = Path(__file__).with_name("questions.md")
HEAD = """\
# Questions

<!-- Written by docs/reference/generate.py from copier.yml and templates/wizard.yml. -->

Every question of `dockertpl new` and of plain `copier copy`, one section each. `dockertpl questions
NAME` prints the same section.

- Answer one with `-d KEY=VALUE`, or many with `--data-file`. Write lists as `[one, two]` and
  mappings as `{KEY: value}`.
- The wizard shows the questions in three groups. Plain Copier asks the hidden ones of a group after
  you select it in [`customize`](#customize).
- `""` is an empty text, `[]` an empty list and `{}` an empty mapping.
- Effects are measured: [how](../explanation/figures.md).
"""


def _contents(title: str, by_kinds: dict[tuple[str, ...], list[Page]], every: tuple[str, ...]) -> list[str]:
    """Return the entries of a group in the table of contents."""
    lines = [f"**[{title}](#{title.lower().replace(' ', '-')})**", ""]
    for kinds, pages in by_kinds.items():
        whom = "every kind" if kinds == every else one_of(kinds, "and")
        links = ", ".join(f"[`{page.name}`](#{page.name})" for page in pages)
        lines += wrapped(f"For {whom}: {links}", 100, "- ", "  ")
    return [*lines, ""]


def text() -> str:
    """Return the page."""
    pages = Pages(Template(bundled()))
    contents, sections = [], []
    for title, by_kinds in pages.sections().items():
        contents += _contents(title, by_kinds, pages.all_kinds)
        sections += [f"## {title}\n", *(markdown(page) for found in by_kinds.values() for page in found)]
    return "\n".join([HEAD, *contents, *sections])


if __name__ == "__main__":
    TARGET.write_text(text())
