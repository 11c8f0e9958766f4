"""Merge template changes into a repository, in memory. Every path has one outcome, and no edit is lost.

Pure: no disk and no network. Git is only called for texts that both sides changed. See docs/explanation/updates.md.
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

#: How similar a removed and a new file have to be to count as moved. Git uses 50 %.
_SIMILAR = 0.6
#: The time of a comparison grows with the square of the lines.
_MOST_LINES = 2000


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """A path of a repository where no file can be written.

    Attributes:
        what: What is there, such as `a link`.
        unseen: Whether the file may exist, and only this checkout lacks it.
    """

    what: str
    unseen: bool = False


#: The repository's files at the paths that matter. Paths without a file are left out.
Local: TypeAlias = Mapping[str, File | Obstacle]


@dataclass(frozen=True, kw_only=True)
class Step:
    """The update of one path.

    `conflicted` means that both sides changed the same lines. `exists` means that the template adds a file that
    already exists with other lines. `kept` means that the repository's file stays without the template's change.
    `deleted` means that the user removed the file and it stays removed.

    Attributes:
        path: The POSIX path from the repository's root.
        outcome: The outcome.
        old: The repository's file. None if it is missing or not a file.
        new: The new file. None to remove it.
        note: A note for the user. May be empty.
        person_needed: Whether the user has to act.
        conflicts: Where the markers are.
        rejected: The template's changes that are not in `new`, as a diff for `.rej`. May be empty.
        pins: Pins that differed, and whose value was taken.
        base: The template's old file. Git's index stores it for a conflict.
        local: The repository's file, at this path or the one that it moved from.
        theirs: The template's new file.
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
        """Whether to write or remove the file."""
        return self.old != self.new

    @property
    def is_conflict(self) -> bool:
        """Whether the file has a conflict."""
        return self.outcome in ("conflicted", "exists") and self.person_needed


def plan(old: Tree, new: Tree, local: Local, *, conflict: ConflictMode = "markers") -> tuple[Step, ...]:
    """Plan the update of every path of a template's old and new version.

    Args:
        old: The files that the repository's version renders.
        new: The files that the new version renders.
        local: The repository's files at those paths.
        conflict: How to handle lines that both sides changed. `markers` writes both. `rej` keeps the repository's and
            puts the template's into `rejected`. `stop` does the same, and the caller writes nothing.

    Returns:
        One step per path, sorted by path.

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
        """Yield the step of a path, and of the path that its file moves to."""
        base, theirs, local = self.old.get(path), self.new.get(path), self.local.get(path)
        if isinstance(local, Obstacle):
            changed = base != theirs
            note = f"is {local.what} here, so the template's change was not applied" if changed else ""
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
            note = "was deleted locally; not restored" if base != theirs else ""
            yield Step(path=path, outcome="deleted", old=None, new=None, note=note)

    def _removed(self, path: str, base: File | None, local: File) -> Iterator[Step]:
        """Remove a file that the template removes. An edited file moves if the template's file moved."""
        if base is None or is_same(local, base):
            yield Step(path=path, outcome="removed", old=local, new=None)
            return
        target = self._moved_to(path, base)
        if target is None:
            note = "was edited here and is no longer in the template; it stays, and is yours now"
            yield Step(path=path, outcome="kept", old=local, new=local, note=note, person_needed=True)
            return
        self.taken.add(target)
        yield Step(path=path, outcome="removed", old=local, new=None, note=f"moved to {target}, with your edits")
        yield self._merged(target, base, self.new[target], local, moved_from=path)

    def _moved_to(self, path: str, base: File) -> str | None:
        """Return the new path of a moved file, or None. Each must be the most similar file of the other."""
        free = {there for there in self.new if there not in {*self.old, *self.local, *self.taken}}
        target = _most_like(base, {there: self.new[there] for there in free})
        if target is None:
            return None
        gone = {there: file for there, file in self.old.items() if there not in self.new}
        return target if _most_like(self.new[target], gone) == path else None

    def _merged(self, path: str, base: File | None, theirs: File, local: File, *, moved_from: str = "") -> Step:
        # At its new path, a moved file is new.
        old = None if moved_from else local
        # If both sides add the file, the repository's executable bit wins.
        before = File(content=b"", executable=theirs.executable) if base is None else base
        executable = theirs.executable if local.executable == before.executable else local.executable
        moved = f"was moved from {moved_from}" if moved_from else ""
        contents = (before.content, theirs.content, local.content)
        if local.content in (before.content, theirs.content):
            content = theirs.content
        elif theirs.content == before.content:
            content = local.content
        elif any(_is_binary(each) for each in contents):
            note = "was changed here and by the template, and is not a text; yours stays"
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
                notes.append("already exists, and the template adds it with other lines")
            if self.conflict != "markers":
                text = merged.kept
                rejected = patch(path, merged.kept, merged.wanted)
        if lost:
            notes.append(f"the template no longer has the region {' and '.join(lost)}; yours is in the conflict")
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
    """Merge three texts that all get the user's region contents first, so these do not differ.

    Returns:
        The merge, and the filled regions that the new text lacks. They conflict with the removal of their markers.
    """
    try:
        contents, before, after = regions.find(local), regions.find(old), regions.find(new)
        shared = {name: content for name, content in contents.items() if name in before and name in after}
        with_mine = regions.share(old, shared), regions.share(new, shared)
    except RegionError:
        # If the user has edited the markers, they are lines like any other.
        return merge_text(old, new, local), ()
    merged = merge_text(*with_mine, local)
    lost = tuple(name for name, content in contents.items() if name not in after and content.strip())
    return merged, lost if merged.conflicts else ()


def _text(file: File) -> str:
    return file.content.decode(errors="surrogateescape")


def _is_binary(content: bytes) -> bool:
    # Anywhere in the file, because git merge-file refuses every NUL.
    return b"\0" in content


def _most_like(file: File, others: Mapping[str, File]) -> str | None:
    """Return the path of the most similar file, if one is similar enough and no other is equally similar."""
    found = sorted(((_likeness(file.content, other.content), path) for path, other in others.items()), reverse=True)
    if not found or found[0][0] < _SIMILAR or (len(found) > 1 and found[1][0] == found[0][0]):
        return None
    return found[0][1]


def _likeness(one: bytes, other: bytes) -> float:
    """Return how similar two contents are, from 0 to 1."""
    if one == other:
        return 1
    lines = one.splitlines(), other.splitlines()
    if _is_binary(one) or _is_binary(other) or max(map(len, lines)) > _MOST_LINES:
        return 0
    matcher = difflib.SequenceMatcher(None, *lines, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _SIMILAR else 0
