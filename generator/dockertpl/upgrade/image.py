"""Plans the update of one image: from its answers file and two versions to one step a path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from dockertpl.merge import update
from dockertpl.merge.edited import edited
from dockertpl.merge.pins import merge_text
from dockertpl.merge.update import ConflictMode, Mine, Step
from dockertpl.template import yamltext
from dockertpl.template.answers import Answers
from dockertpl.template.environment import Template
from dockertpl.template.render import answers_path, render
from dockertpl.template.tree import File, Tree
from dockertpl.template.versions import Pair
from dockertpl.upgrade.answers import Difference, carried, stored_answers

Reader = Callable[[Iterable[str]], Mine]


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """What an update of one image means.

    Attributes:
        answers_file: Its name.
        pair: The versions.
        difference: What happens to its answers.
        warnings: What the new version says of the answers.
        steps: What becomes of each path.
        edited: The paths that a person has edited, but for the answers file.
    """

    answers_file: str
    pair: Pair
    difference: Difference
    warnings: tuple[str, ...]
    steps: tuple[Step, ...]
    edited: tuple[str, ...]

    @property
    def conflicts(self) -> tuple[Step, ...]:
        """The steps in which both sides want something else."""
        return tuple(step for step in self.steps if step.is_conflict)

    @property
    def person_needed(self) -> bool:
        """Whether a person has to look: a conflict, something kept against the template, or an answer reset."""
        return bool(self.difference.reset) or any(step.person_needed for step in self.steps)


def prepare(
    answers_file: str,
    content: Mapping[str, Any],
    pair: Pair,
    read: Reader,
    *,
    data: Mapping[str, str],
    folder_name: str,
    conflict: ConflictMode,
) -> Upgrade:
    """Work out what an update means, and write nothing.

    Args:
        answers_file: The answers file's name, at the repository's root.
        content: What it holds.
        pair: The versions.
        read: Returns what the repository has at paths.
        data: Answers of the command line.
        folder_name: The repository's folder's name.
        conflict: What a file with a conflict becomes.

    Raises:
        BadInputError: The answers will not do.
        TemplateError: A version cannot be rendered.
        DestinationError: A file cannot be read.
    """
    old, new, difference = carried(pair, stored_answers(content), data, folder_name=folder_name, where=answers_file)
    before = tree(pair.old, old, answers_file)
    after = tree(pair.new, new, answers_file)
    mine = read([*before, *after])
    # The answers file says what is rendered: it is written, not merged.
    steps = [
        _answers_step(step, before, after) if step.path == answers_file else step
        for step in update.plan(before, after, mine, conflict=conflict)
    ]
    return Upgrade(
        answers_file=answers_file,
        pair=pair,
        difference=difference,
        warnings=new.warnings,
        steps=tuple(steps),
        edited=tuple(path for path in edited(before, mine) if path != answers_file),
    )


def tree(template: Template, answers: Answers, answers_file: str) -> Tree:
    """Render a version, with the answers file by the name that it has in the repository.

    Args:
        template: The version.
        answers: Its answers.
        answers_file: The name.

    Raises:
        TemplateError: It cannot be rendered.
    """
    files = dict(render(template, answers))
    name = answers_path(template, answers)
    if name in files and name != answers_file:
        files[answers_file] = files.pop(name)
    return dict(sorted(files.items()))


def _answers_step(step: Step, before: Tree, after: Tree) -> Step:
    """Return what becomes of the answers file: the new version's, with the comments of the repository's if they fit."""
    new, mine = after.get(step.path), step.old
    if new is None or mine is None or mine in (new, before.get(step.path)):
        return step
    base = before.get(step.path, File(content=b""))
    texts = [file.content.decode(errors="surrogateescape") for file in (base, new, mine)]
    merged = merge_text(*texts)
    fits = not merged.conflicts and _same(merged.text, texts[1])
    content = merged.text.encode(errors="surrogateescape") if fits else new.content
    file = File(content=content, executable=mine.executable)
    note = "" if fits else "was edited by hand here: its comments and its layout are the template's now"
    return replace(
        step,
        outcome="merged" if fits else "updated",
        new=file,
        note=note,
        person_needed=not fits,
        conflicts=(),
        rejected="",
    )


def _same(one: str, other: str) -> bool:
    try:
        return bool(yamltext.load(one) == yamltext.load(other))
    except yaml.YAMLError:
        return False
