"""Plans the update of one image: from its answers file and two versions to one step a path."""

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
    """What an update of one image means.

    Attributes:
        answers_file: Its name.
        pair: The versions.
        difference: What happens to its answers.
        warnings: What the new version says of the answers, but for those of `difference.reset`.
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
        BadInputError: The answers will not do, or the image's folder is not there.
        TemplateError: A version cannot be rendered.
        DestinationError: A file cannot be read.
    """
    old, new, difference = carried(pair, stored_answers(content), data, folder_name=folder_name, where=answers_file)
    # Each is said with what it is reset to.
    told = {not_used(key, why) for key, why in difference.unused.items()}
    before = tree(pair.old, old, answers_file)
    after = tree(pair.new, new, answers_file)
    local = read([*before, *after])
    _check_folder(str(new.values.get("app_dir") or "."), answers_file, read, local)
    # The answers file says what is rendered: it is written, not merged.
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
            f"{answers_file} is for the folder {app_dir}, and there is no such folder.",
            f"If it was moved, write its new place in {answers_file}, for app_dir and context, and commit that.\n"
            "If the image is gone, remove that file.",
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
    """Return what becomes of the answers file: the new version's, with the comments of the repository's."""
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
    note = (
        "" if fits else "was edited by hand here: its layout and the comments behind its values are the template's now"
    )
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
    """Put the lines of comment that only the repository's answers file has above the same answers in the new one.

    Returns:
        The text, and whether nothing else in the file was a person's. What stood above an answer that is gone, or
        above none, stands at the end.
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
