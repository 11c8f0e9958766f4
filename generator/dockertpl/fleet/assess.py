"""Assess one repository: the state of each image, and the changes of an update."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from dockertpl.errors import BadInputError, DockertplError, OnlyCopierError
from dockertpl.fleet import branch
from dockertpl.fleet.checkout import View
from dockertpl.fleet.model import Repository, Row, State
from dockertpl.merge.image_update import Upgrade, prepare
from dockertpl.merge.read_checkout import read
from dockertpl.merge.update import Obstacle, Step
from dockertpl.template.answers import mapping
from dockertpl.template.source import PUBLISHED, expand
from dockertpl.template.tree import File
from dockertpl.template.versions import CURRENT, Versions, named

_SSH = re.compile(r"\A(?:[^/@\s]+@)?([^/:\s]+):(?!//)(.+)\Z")


@dataclass(frozen=True, kw_only=True)
class Target:
    """The template and version to update a fleet to.

    Attributes:
        template: The template. Images of other templates are not updated.
        to: The version.
    """

    template: str = PUBLISHED
    to: str

    def is_for(self, src_path: str) -> bool:
        """Return whether an answers file's `_src_path` is this template."""
        return same_place(src_path) == same_place(self.template)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The assessment of one image.

    Attributes:
        row: The row to show.
        upgrade: The update, or None if the image cannot be updated.
    """

    row: Row
    upgrade: Upgrade | None = None

    @property
    def changes(self) -> Mapping[str, File | None]:
        """The files that an update writes or removes, by path. Files that conflict keep the repository's lines."""
        return {step.path: step.new for step in self.upgrade.steps if step.changes} if self.upgrade else {}

    @property
    def digest(self) -> str:
        """A digest of the changes. The same files and conflicts give the same digest in any repository."""
        lines = []
        for step in self.upgrade.steps if self.upgrade else ():
            if step.changes or step.is_conflict or step.person_needed:
                new = step.new
                content = hashlib.sha256(new.content).hexdigest() if new else "-"
                mode = "x" if new and new.executable else "-"
                rejected = hashlib.sha256(step.rejected.encode(errors="surrogateescape")).hexdigest()
                lines.append(f"{step.path}\0{step.outcome}\0{mode}\0{content}\0{rejected}\n")
        text = f"{self.row.answers_file}\0{self.row.target}\n{''.join(lines)}"
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def look(view: View, target: Target, versions: Versions) -> Iterator[Assessment]:
    """Yield the assessment of each image of a repository, in the order of the answers files.

    Raises:
        BadInputError: An object is missing.
        NoGitError: The template cannot be fetched, or git is missing.
    """
    names = list(view.answers_files())
    if not names:
        yield Assessment(row=_without_image(view.repository.key))
    branches: dict[str, str] = {}
    for name in names:
        looked = look_at(view, name, target, versions)
        other = branches.setdefault(branch.name_of(looked.row.image, name), name)
        if other != name:
            note = f"{other} has an image of the same name, {looked.row.image!r}: both would share one branch"
            looked = Assessment(row=replace(looked.row, state="error", notes=(note,)))
        yield looked


def glance(repository: Repository, answers: Mapping[str, str], target: Target, versions: Versions) -> Iterator[Row]:
    """Yield rows from the answers files only. They show whether images are outdated, but no changes.

    Args:
        repository: The repository.
        answers: The texts of its answers files, by name.
        target: The template and version to update to.
        versions: The template's versions.

    Raises:
        NoGitError: The template cannot be fetched, or git is missing.
    """
    if not answers:
        yield _without_image(repository.key)
    for name, text in sorted(answers.items()):
        row = Row(repository=repository.key, state="error", answers_file=name)
        try:
            row, content = _known(row, mapping(text, name), target)
            if content is not None:
                order = versions.order(row.template, row.version, target.to)
                state: State = {"newer": "outdated", "older": "ahead", "same": "up-to-date"}[order]  # type: ignore[assignment]
                row = replace(row, state=state)
        except BadInputError as error:
            row = replace(row, notes=(error.message,))
        yield row


def unreadable(repository: str, error: DockertplError) -> Assessment:
    """Return the assessment of a repository that cannot be read."""
    return Assessment(row=Row(repository=repository, state="error", notes=(error.message,)))


def same_place(where: str) -> str:
    """Return a normalized name of a template or repository, equal for all spellings of the same place.

    Args:
        where: A URL, `git@host:path`, a path or a short form such as `gh:org/name`.
    """
    url = expand(where)
    if "://" in url:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
        except ValueError:
            # An invalid address has no other spelling.
            return url
        place = f"{host.lower()}{parts.path}"
    elif match := _SSH.match(url):
        place = f"{match[1].lower()}/{match[2].lstrip('/')}"
    else:
        place = os.path.normpath(Path(url).absolute())
    return place.rstrip("/").removesuffix(".git")


def look_at(view: View, name: str, target: Target, versions: Versions) -> Assessment:
    """Return the assessment of one image."""
    row = Row(repository=view.repository.key, state="error", answers_file=name)
    try:
        row, content = _known(row, _content(view, name), target)
        if content is None:
            return Assessment(row=row)
        order = versions.order(row.template, row.version, target.to)
        pair = versions.pair(content, name, CURRENT if order == "older" else target.to)
        upgrade = prepare(name, content, pair, view.read, data={}, folder_name=_folder_name(view), conflict="rej")
    except OnlyCopierError as error:
        return Assessment(row=replace(row, state="unsafe", notes=(error.message,)))
    except DockertplError as error:
        return Assessment(row=replace(row, notes=(error.message,)))
    return _told(view, row, upgrade)


def _without_image(repository: str) -> Row:
    return Row(repository=repository, state="unmanaged", notes=("has no answers file",))


def _known(row: Row, content: Mapping[str, Any], target: Target) -> tuple[Row, Mapping[str, Any] | None]:
    """Return the row with the answers file's values, and its content if an update is possible."""
    row = replace(
        row,
        image=_text(content, "name"),
        kind=_text(content, "kind"),
        template=_text(content, "_src_path"),
        version=_text(content, "_commit"),
    )
    try:
        src_path, _ = named(content, row.answers_file)
    except BadInputError as error:
        return replace(row, state="unmanaged", notes=(error.message,)), None
    if not target.is_for(src_path):
        return replace(row, state="foreign", notes=(f"uses another template: {same_place(src_path)}",)), None
    return replace(row, target=target.to), content


def _content(view: View, name: str) -> Mapping[str, Any]:
    thing = view.read([name]).get(name)
    if not isinstance(thing, File):
        raise BadInputError(f"{name} is {thing.what}, so it was not read." if thing else f"{name} was not found.")
    return mapping(thing.content, name)


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _folder_name(view: View) -> str:
    return PurePosixPath(view.repository.key).name.removesuffix(".git")


def _told(view: View, row: Row, upgrade: Upgrade) -> Assessment:
    steps = upgrade.steps
    blocked = [step for step in steps if step.outcome == "kept" and step.old is None]
    kept = [step for step in steps if step.outcome == "kept" and step.old is not None]
    row = replace(
        row,
        changes=tuple(step.path for step in steps if step.changes),
        conflicts=tuple(step.path for step in upgrade.conflicts),
        kept=tuple(step.path for step in kept),
        reset=tuple(upgrade.difference.reset),
        edited=upgrade.edited,
        uncommitted=tuple(_uncommitted(view, steps)),
        notes=tuple(_notes(upgrade)),
    )
    return Assessment(row=replace(row, state=_state(row, upgrade, blocked)), upgrade=upgrade)


def _state(row: Row, upgrade: Upgrade, blocked: list[Step]) -> State:
    order = upgrade.pair.order
    if blocked:
        return "unsafe"
    if row.conflicts:
        return "conflicted"
    if row.kept:
        return "lost-edits"
    if row.reset:
        return "answers-reset"
    if row.uncommitted:
        return "dirty"
    if order == "newer" or row.changes:
        return "outdated"
    if row.target != row.version:
        return "ahead"
    return "diverged" if row.edited else "up-to-date"


def _notes(upgrade: Upgrade) -> Iterator[str]:
    for key, (old, new) in upgrade.difference.reset.items():
        why = upgrade.difference.why(key)
        yield f"the template no longer accepts {key}={old!r}{why}; it is now {new!r}"
    yield from upgrade.warnings
    yield from (f"{step.path} {step.note}" for step in upgrade.steps if step.note)


def _uncommitted(view: View, steps: tuple[Step, ...]) -> Iterator[str]:
    """Yield the files that differ between work tree and commit."""
    root = Path(view.repository.location)
    if not view.repository.is_local or view.repository.base or not (root / ".git").exists():
        return
    there = read(root, [step.path for step in steps])
    for step in steps:
        thing = there.get(step.path)
        if step.outcome == "kept" and step.old is None and isinstance(thing, Obstacle):
            continue
        if not _same(thing, step.old):
            yield step.path


def _same(there: File | Obstacle | None, committed: File | None) -> bool:
    if isinstance(there, File) and committed:
        # With core.autocrlf the commit has other line endings.
        return committed.content in (there.content, there.content.replace(b"\r\n", b"\n"))
    return there is committed is None
