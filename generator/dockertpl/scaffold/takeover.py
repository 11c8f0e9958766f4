"""Takes over a Dockerfile that is there: what it does goes into the new one, and the old one stays to be had."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockertpl.detect.repository import MAX_BYTES, join
from dockertpl.errors import DestinationError, MachineError

if TYPE_CHECKING:
    from dockertpl.adopt import Adoption, Item
    from dockertpl.merge.plan import Entry
    from dockertpl.template.tree import File, Tree

#: The kinds whose images are one application's, and so have a Dockerfile to take over.
KINDS = ("python-fastapi", "nextjs-standalone")
#: What is put behind the name of an old file that is in no commit.
BACKUP = ".before-dockertpl"


@dataclass(frozen=True, kw_only=True)
class Old:
    """The files that are there.

    Attributes:
        dockerfile: The Dockerfile's path from the repository's root.
        text: What is in it.
        ignore_file: Where the new ignore file goes.
        ignored: What the old ignore file holds; None if there is none.
    """

    dockerfile: str
    text: str
    ignore_file: str
    ignored: str | None

    def read(self, kind: str, answers: Mapping[str, Any]) -> Adoption:
        """Return what the old files come to.

        Args:
            kind: The kind of image.
            answers: What is answered so far.

        Raises:
            BadInputError: The Dockerfile cannot be parsed.
        """
        from dockertpl import adopt

        return adopt.read(self.text, path=self.dockerfile, kind=kind, answers=answers, ignore=self.ignored)

    def fill(self, tree: Tree, adoption: Adoption) -> Tree:
        """Return the rendered files with what is kept in their regions.

        Args:
            tree: The rendered files.
            adoption: What the old files come to.
        """
        from dockertpl import adopt

        return adopt.apply(tree, adoption, dockerfile=self.dockerfile, ignore_file=self.ignore_file)

    @property
    def paths(self) -> frozenset[str]:
        """The files that new ones take the place of."""
        return frozenset({self.dockerfile, self.ignore_file} if self.ignored is not None else {self.dockerfile})


def find(root: Path, app_dir: str, context: str) -> Old | None:
    """Return the files that could be taken over, or None where there is no Dockerfile.

    Args:
        root: The repository's root, which may not exist yet.
        app_dir: The application's folder.
        context: The build context.

    Raises:
        DestinationError: The Dockerfile is a link, too large, or no text.
    """
    dockerfile = join(app_dir, "Dockerfile")
    if not os.path.lexists(root / dockerfile):
        return None
    ignore_file = ".dockerignore" if app_dir == "." else f"{dockerfile}.dockerignore"
    # The first of those that the engine reads: the Dockerfile's own, then the build context's.
    candidates = [ignore_file, *([join(app_dir, ".dockerignore")] if context == app_dir else [])]
    ignored = next((_text(root, path) for path in candidates if os.path.lexists(root / path)), None)
    return Old(dockerfile=dockerfile, text=_text(root, dockerfile), ignore_file=ignore_file, ignored=ignored)


def _text(root: Path, path: str) -> str:
    file = root / path
    why = ""
    content = b""
    try:
        if file.is_symlink() or not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
            why = "is a link, or no file"
        elif file.stat().st_size > MAX_BYTES:
            why = f"is larger than {MAX_BYTES // 1024} KiB"
        else:
            content = file.read_bytes()
            return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        why = f"is no UTF-8 text in line {line}"
    except OSError as error:
        raise MachineError(f"{path} cannot be read: {error.strerror}.") from error
    raise DestinationError(f"{path} {why}, and cannot be taken over.", "Move it away, or make it a plain text file.")


def backups(root: Path, replaced: Mapping[str, File]) -> list[Entry]:
    """Return copies of the old files that no commit holds.

    Args:
        root: The repository's root.
        replaced: The old files, by path.

    Raises:
        DestinationError: There is a copy from before, and it is another.
    """
    # On the way to the first question neither is needed.
    from dockertpl.merge.plan import Entry
    from dockertpl.template import git

    found = []
    committed = git.committed(root, {path: file.content for path, file in replaced.items()})
    for path, file in replaced.items():
        if committed[path]:
            continue
        copy = f"{path}{BACKUP}"
        if os.path.lexists(root / copy):
            raise DestinationError(
                f"{path} is in no commit, and {copy} is there already.", f"Commit {path}, or move {copy} away."
            )
        found.append(Entry(path=copy, new=file, old=None))
    return found


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """Old files, what they come to, and what becomes of them.

    Attributes:
        old: The files.
        adoption: What they come to.
        answers: The answers of the new image.
        copies: Copies of the old files, as far as no commit holds them.
    """

    old: Old
    adoption: Adoption
    answers: Mapping[str, Any]
    copies: tuple[Entry, ...] = ()

    @property
    def lost(self) -> list[Item]:
        """What the new image does without."""
        return [item for item in self.adoption.items if item.outcome == "dropped"]

    @property
    def overruled(self) -> list[Item]:
        """What the old files ask for and somebody has answered otherwise, each with the answer that counts."""
        found = []
        for item in self.adoption.items:
            key = item.where.partition(" ")[0]
            if item.outcome != "answer" or key not in self.adoption.answers:
                continue
            wanted, counts = self.adoption.answers[key], self.answers.get(key)
            is_there = item.what in counts if isinstance(counts, list) and item.what in wanted else wanted == counts
            if not is_there:
                found.append(replace(item, where=f"{key} is answered with {counts}"))
        return found

    @property
    def needs_a_word(self) -> bool:
        """Whether a person has to agree: something is lost, or in doubt."""
        return bool(self.lost or self.adoption.doubts)

    def place(self, item: Item) -> str:
        """Return where a thing stands in the old files.

        Args:
            item: The thing.
        """
        return f"{self.old.dockerfile}:{item.line}" if item.line else "the ignore file"

    def objection(self) -> DestinationError:
        """Return the error for what only a person can decide."""
        lines = [f"{self.place(item)}: {item.what} - {item.where}" for item in self.lost]
        lines += [f"in doubt: {doubt}" for doubt in self.adoption.doubts]
        return DestinationError(
            "\n  ".join([f"{self.old.dockerfile} does what the new one would not:", *lines]),
            "See all of it with --dry-run. To go on without these, add --accept-dropped.",
            dropped=lines,
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` has of it."""
        return {
            "items": [asdict(item) for item in self.adoption.items],
            "overruled": [asdict(item) for item in self.overruled],
            "improvements": list(self.adoption.improvements),
            "doubts": list(self.adoption.doubts),
            "backups": [copy.path for copy in self.copies],
        }
