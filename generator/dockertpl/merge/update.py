"""Merges what a template changed into a repository, in memory: one outcome a path, and nothing a person wrote is lost.

Pure: no disk, no network; git is called for a text only that both sides changed. See docs/explanation/updates.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dockertpl.errors import RegionError
from dockertpl.merge import regions
from dockertpl.merge.diff import patch
from dockertpl.merge.line_ends import is_same, with_ends_of
from dockertpl.merge.pins import Conflict, Merged, Pin, merge_text
from dockertpl.template.tree import File, Tree

FileChange: TypeAlias = Literal[
    "unchanged", "created", "updated", "merged", "conflicted", "removed", "kept", "deleted", "exists"
]
ConflictMode: TypeAlias = Literal["markers", "rej", "stop"]

#: How much of a removed file has to be in a new one for that to be the same file under another name; git's own is 50.
_SIMILAR = 0.6
#: Comparing takes time by the square of the lines.
_MOST_LINES = 2000


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """What a repository has at a path where no file can be written.

    Attributes:
        what: In words, such as `a link`.
        unseen: Whether a file may well be there, as it was rendered, and only this checkout does not have it.
    """

    what: str
    unseen: bool = False


#: What a repository has at the paths that matter; a path where there is nothing is left out.
Local: TypeAlias = Mapping[str, File | Obstacle]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What an update means for one path.

    Attributes:
        path: The POSIX path from the repository's root.
        outcome: `unchanged`; `created`, `updated`, `merged` and `removed`: as they say; `conflicted`: both sides
            changed the same lines; `exists`: the template adds a file that is already there, with other lines;
            `kept`: the repository's stays, and the template's change is not in it; `deleted`: removed in the
            repository, and it stays so.
        old: What the repository has; None if nothing, or if what is there is no file.
        new: What it is to have; None for nothing.
        note: What a person should know, or nothing.
        person_needed: Whether a person has to look.
        conflicts: Where the markers are.
        rejected: What the template wants and `new` does not have, as a difference to apply, for `.rej`; or nothing.
        pins: Pins that differed, and whose was taken.
        base: What the template had before; the index keeps it beside a conflict.
        local: What the repository has, under this path or the one that the file moves from.
        theirs: What the template has now.
    """

    path: str
    outcome: FileChange
    old: File | None
    new: File | None
    note: str = ""
    person_needed: bool = False
    conflicts: tuple[Conflict, ...] = ()
    rejected: str = ""
    pins: tuple[Pin, ...] = ()
    base: File | None = None
    local: File | None = None
    theirs: File | None = None

    @property
    def changes(self) -> bool:
        """Whether something is to be written or removed."""
        return self.old != self.new

    @property
    def is_conflict(self) -> bool:
        """Whether both sides want something else in this file."""
        return self.outcome in ("conflicted", "exists") and self.person_needed


def plan(old: Tree, new: Tree, local: Local, *, conflict: ConflictMode = "markers") -> tuple[Step, ...]:
    """Work out what a new version of a template means for every path of its old and its new version.

    Args:
        old: What the version that the repository has renders.
        new: What the new one renders.
        local: What the repository has at those paths.
        conflict: What a file becomes in which both sides changed the same lines: text with `markers`; the
            repository's lines, with the template's in `rejected`, for `rej`; for `stop`, too, and the caller writes
            nothing at all.

    Returns:
        One step a path, in the order of paths.

    Raises:
        NoGitError: Git is missing.
    """
    merge = _Merge(old=old, new=new, local=local, conflict=conflict)
    steps: dict[str, Step] = {}
    for path in sorted({*old, *new}):
        if path not in steps:
            for step in merge.step(path):
                steps[step.path] = step
    return tuple(steps[path] for path in sorted(steps))


@dataclass(frozen=True, kw_only=True)
class _Merge:
    old: Tree
    new: Tree
    local: Local
    conflict: ConflictMode
    #: The new paths that an edited file has moved to.
    taken: set[str] = field(default_factory=set)

    def step(self, path: str) -> Iterator[Step]:
        """Yield what becomes of a path, and of the one that its file moves to."""
        base, theirs, local = self.old.get(path), self.new.get(path), self.local.get(path)
        if isinstance(local, Obstacle):
            changed = base != theirs
            note = f"is {local.what} here, and stays so; the template's change is not in it" if changed else ""
            outcome: FileChange = "kept" if changed else "unchanged"
            yield Step(path=path, outcome=outcome, old=None, new=None, note=note, person_needed=changed)
        elif local is None:
            yield from self._absent(path, base, theirs)
        elif theirs in (base, local):
            yield Step(path=path, outcome="unchanged", old=local, new=local)
        elif theirs is None:
            yield from self._removed(path, base, local)
        elif base is None:
            yield self._merged(path, base, theirs, local)
        elif is_same(local, base):
            yield Step(path=path, outcome="updated", old=local, new=with_ends_of(theirs, local))
        else:
            yield self._merged(path, base, theirs, local)

    def _absent(self, path: str, base: File | None, theirs: File | None) -> Iterator[Step]:
        if base is None:
            yield Step(path=path, outcome="created", old=None, new=theirs)
        elif theirs is None:
            yield Step(path=path, outcome="unchanged", old=None, new=None)
        else:
            note = "was deleted here, and stays so" if base != theirs else ""
            yield Step(path=path, outcome="deleted", old=None, new=None, note=note)

    def _removed(self, path: str, base: File | None, local: File) -> Iterator[Step]:
        """Remove a file that the template removes; an edited one follows the template's, if that has only moved."""
        if base is None or is_same(local, base):
            yield Step(path=path, outcome="removed", old=local, new=None)
            return
        target = self._moved_to(path, base)
        if target is None:
            note = "was edited here, and the template does not have it any more: it stays, and is yours"
            yield Step(path=path, outcome="kept", old=local, new=local, note=note, person_needed=True)
            return
        self.taken.add(target)
        yield Step(path=path, outcome="removed", old=local, new=None, note=f"moved to {target}, with what you edited")
        yield self._merged(target, base, self.new[target], local, moved_from=path)

    def _moved_to(self, path: str, base: File) -> str | None:
        """Return the new path whose file is plainly this one: each is what the other is most like. Or None."""
        free = {there for there in self.new if there not in {*self.old, *self.local, *self.taken}}
        target = _most_like(base, {there: self.new[there] for there in free})
        if target is None:
            return None
        gone = {there: file for there, file in self.old.items() if there not in self.new}
        return target if _most_like(self.new[target], gone) == path else None

    def _merged(self, path: str, base: File | None, theirs: File, local: File, *, moved_from: str = "") -> Step:
        # Seen from its new path, a file that moves is new.
        old = None if moved_from else local
        # What both add is the repository's in this, too.
        before = File(content=b"", executable=theirs.executable) if base is None else base
        executable = theirs.executable if local.executable == before.executable else local.executable
        moved = f"was {moved_from}" if moved_from else ""
        contents = (before.content, theirs.content, local.content)
        if local.content in (before.content, theirs.content):
            content = theirs.content
        elif theirs.content == before.content:
            content = local.content
        elif any(_is_binary(each) for each in contents):
            note = "was changed here and by the template, and is no text: yours stays"
            return Step(
                path=path,
                outcome="exists" if base is None else "conflicted",
                old=old,
                new=File(content=local.content, executable=executable),
                note="; ".join(filter(None, (moved, note))),
                person_needed=True,
                base=base,
                local=local,
                theirs=theirs,
            )
        else:
            return self._texts(path, (base, theirs, local), old, executable, moved)
        return Step(
            path=path,
            outcome="created" if moved_from and content == theirs.content else "merged",
            old=old,
            new=File(content=content, executable=executable),
            note=moved,
        )

    def _texts(
        self, path: str, sides: tuple[File | None, File, File], old: File | None, executable: bool, moved: str
    ) -> Step:
        base, theirs, local = sides
        texts = ("" if base is None else _text(base), _text(theirs), _text(local))
        merged, lost = _with_regions(*texts)
        notes = [moved] if moved else []
        outcome: FileChange = "merged"
        text, rejected = merged.text, ""
        if merged.conflicts:
            outcome = "exists" if base is None else "conflicted"
            if base is None:
                notes.append("is here already, and the template adds it with other lines")
            if self.conflict != "markers":
                text = merged.kept
                rejected = patch(path, merged.kept, merged.wanted)
        if lost:
            notes.append(f"the template has no region {' and '.join(lost)} any more; yours is in the conflict")
        return Step(
            path=path,
            outcome=outcome,
            old=old,
            new=File(content=text.encode(errors="surrogateescape"), executable=executable),
            note="; ".join(notes),
            person_needed=bool(merged.conflicts),
            conflicts=merged.conflicts if self.conflict == "markers" else (),
            rejected=rejected,
            pins=merged.pins,
            base=base,
            local=local,
            theirs=theirs,
        )


def _with_regions(old: str, new: str, local: str) -> tuple[Merged, tuple[str, ...]]:
    """Merge three texts with what the user has in regions in all of them, so that it is no difference.

    Returns:
        The merge, and the filled regions that the new text does not have; as only the user has lines there, they
        conflict with the template's removal of the marks.
    """
    try:
        contents, before, after = regions.find(local), regions.find(old), regions.find(new)
        shared = {name: content for name, content in contents.items() if name in before and name in after}
        with_mine = regions.share(old, shared), regions.share(new, shared)
    except RegionError:
        # Marks that a person wrote into or took apart are lines like others.
        return merge_text(old, new, local), ()
    merged = merge_text(*with_mine, local)
    lost = tuple(name for name, content in contents.items() if name not in after and content.strip())
    return merged, lost if merged.conflicts else ()


def _text(file: File) -> str:
    return file.content.decode(errors="surrogateescape")


def _is_binary(content: bytes) -> bool:
    # Anywhere, and not in the first bytes alone: git merge-file takes no NUL.
    return b"\0" in content


def _most_like(file: File, others: Mapping[str, File]) -> str | None:
    """Return the path of the one file that this one is most like, if it is so at all and no other is as much."""
    found = sorted(((_likeness(file.content, other.content), path) for path, other in others.items()), reverse=True)
    if not found or found[0][0] < _SIMILAR or (len(found) > 1 and found[1][0] == found[0][0]):
        return None
    return found[0][1]


def _likeness(one: bytes, other: bytes) -> float:
    """Return how much of two contents is the same, from 0 to 1."""
    if one == other:
        return 1
    lines = one.splitlines(), other.splitlines()
    if _is_binary(one) or _is_binary(other) or max(map(len, lines)) > _MOST_LINES:
        return 0
    matcher = difflib.SequenceMatcher(None, *lines, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _SIMILAR else 0
