"""Plan the update of one image: from its answers file and two versions to one step per path."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from dockertpl.errors import BadInputError
from dockertpl.merge import update
from dockertpl.merge.edited import edited
from dockertpl.merge.line_ends import is_same, with_ends_of
from dockertpl.merge.new_answers import Difference, carried, stored_answers
from dockertpl.merge.pins import merge_text
from dockertpl.merge.update import ConflictMode, Local, Obstacle, Step
from dockertpl.template import yamltext
from dockertpl.template.answers import Answers, not_used
from dockertpl.template.environment import Template
from dockertpl.template.render import answers_path, render
from dockertpl.template.tree import File, Tree
from dockertpl.template.versions import Pair

Reader = Callable[[Iterable[str]], Local]

_KEY = re.compile(r"[^\s#:]+:")


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """The update of an image.

    Attributes:
        answers_file: The name of the answers file.
        pair: The versions.
        difference: The changes to its answers.
        warnings: The new version's warnings about the answers, except those about `difference.reset`.
        steps: The step of each path.
        edited: The paths that the user has edited, without the answers file.
    """

    answers_file: str
    pair: Pair
    difference: Difference
    warnings: tuple[str, ...]
    steps: tuple[Step, ...]
    edited: tuple[str, ...]

    @property
    def conflicts(self) -> tuple[Step, ...]:
        """The steps with conflicts."""
        return tuple(step for step in self.steps if step.is_conflict)

    @property
    def person_needed(self) -> bool:
        """Whether the user has to act: on a conflict, a kept file that the template changed, or a reset answer."""
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
    """Plan an update without writing anything.

    Args:
        answers_file: The answers file's name, at the repository's root.
        pair: The versions.
        read: Returns the repository's files at some paths.
        data: Answers of the command line.
        folder_name: The name of the repository's folder.
        conflict: What to do with a conflict.

    Raises:
        BadInputError: The answers are not valid, or the image's folder does not exist.
        TemplateError: A version cannot be rendered.
        DestinationError: A file cannot be read.
    """
    old, new, difference = carried(pair, stored_answers(content), data, folder_name=folder_name, where=answers_file)
    # The report names each of these with its new value.
    told = {not_used(key, why) for key, why in difference.unused.items()}
    before = tree(pair.old, old, answers_file)
    after = tree(pair.new, new, answers_file)
    local = read([*before, *after])
    _check_folder(str(new.values.get("app_dir") or "."), answers_file, read, local)
    # The answers file decides what is rendered, so it is written, not merged.
    steps = [
        _answers_step(step, before, after) if step.path == answers_file else step
        for step in update.plan(before, after, local, conflict=conflict)
    ]
    return Upgrade(
        answers_file=answers_file,
        pair=pair,
        difference=difference,
        warnings=tuple(warning for warning in new.warnings if warning not in told),
        steps=tuple(steps),
        edited=tuple(path for path in edited(before, local) if path != answers_file),
    )


def _check_folder(app_dir: str, answers_file: str, read: Reader, local: Local) -> None:
    """Refuse to write new files into a folder that was moved or removed."""
    unseen = any(isinstance(thing, Obstacle) and thing.unseen for thing in local.values())
    if app_dir != "." and not unseen and not read([app_dir]):
        raise BadInputError(
            f"{answers_file} is for the folder {app_dir}, which does not exist.",
            f"If you moved it, write the new folder as app_dir and context into {answers_file}, and commit that.\n"
            "If the image no longer exists, remove that file.",
        )


def tree(template: Template, answers: Answers, answers_file: str) -> Tree:
    """Render a version, with the answers file under its name in the repository.

    Raises:
        TemplateError: The version cannot be rendered.
    """
    files = dict(render(template, answers))
    name = answers_path(template, answers)
    if name in files and name != answers_file:
        files[answers_file] = files.pop(name)
    return dict(sorted(files.items()))


def _answers_step(step: Step, before: Tree, after: Tree) -> Step:
    """Return the step of the answers file: the new version's content, with the comments of the repository's."""
    new, local = after.get(step.path), step.old
    base = before.get(step.path, File(content=b""))
    if new is None or local is None or local == new or is_same(local, base):
        return step
    texts = [file.content.decode(errors="surrogateescape") for file in (base, new, with_ends_of(local, base))]
    merged = merge_text(*texts)
    fits = not merged.conflicts and _same(merged.text, texts[1])
    text = merged.text
    if not fits:
        text, is_all = _commented(*texts)
        fits = is_all and _same(text, texts[1])
        text = text if _same(text, texts[1]) else texts[1]
    file = File(content=text.encode(errors="surrogateescape"), executable=local.executable)
    note = "" if fits else "was edited by hand: the update replaced its layout and the comments behind its values"
    return replace(
        step,
        outcome="merged" if fits else "updated",
        new=with_ends_of(file, local),
        note=note,
        person_needed=not fits,
        conflicts=(),
        rejected="",
    )


def _commented(old: str, new: str, local: str) -> tuple[str, bool]:
    """Copy comments that only the repository's answers file has to the same answers in the new one.

    Returns:
        The text, and whether the comments were the only edits. Comments of answers that are gone, or of none, go to
        the end.
    """
    known = Counter(line for line in old.splitlines() if line.startswith("#"))
    above: dict[str, list[str]] = {}
    waiting: list[str] = []
    rest = []
    for line in local.splitlines(keepends=True):
        plain = line.rstrip("\r\n")
        if plain.startswith("#") and not known[plain]:
            waiting.append(f"{plain}\n")
            continue
        rest.append(line)
        known[plain] -= plain.startswith("#")
        if waiting and (key := _KEY.match(plain)):
            above[key[0]], waiting = waiting, []
    lines = []
    for line in new.splitlines(keepends=True):
        key = _KEY.match(line)
        lines += [*(above.pop(key[0], ()) if key else ()), line]
    left = [comment for comments in above.values() for comment in comments]
    return "".join([*lines, *left, *waiting]), "".join(rest) == old


def _same(one: str, other: str) -> bool:
    try:
        return bool(yamltext.load(one) == yamltext.load(other))
    except yaml.YAMLError:
        return False
