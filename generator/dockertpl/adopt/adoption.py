"""Adopt an existing Dockerfile: its steps go into the new one, and Git keeps the old one."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockertpl.detect.repository import MAX_BYTES, join
from dockertpl.errors import DestinationError, MachineError

if TYPE_CHECKING:
    from dockertpl.adopt import AdoptedItem, Adoption
    from dockertpl.adopt.choice import Candidate
    from dockertpl.merge.plan import PlannedFile
    from dockertpl.template.tree import File, Tree

#: The suffix for a copy of an old file that is not committed.
BACKUP = ".before-dockertpl"


@dataclass(frozen=True, kw_only=True)
class Old:
    """The existing files. Paths are relative to the repository root.

    Attributes:
        dockerfile: The Dockerfile to adopt, or an empty string.
        text: Its text.
        target: The path of the new Dockerfile.
        ignore_file: The path of the new ignore file.
        ignored: The text of the old ignore files, or None.
        in_place: The new paths that replace an existing file.
        context: The build context from a Compose file, or an empty string.
        named_by: The Compose files that build it.
        others: Other possible Dockerfiles. They are not changed.
    """

    dockerfile: str
    text: str
    target: str
    ignore_file: str
    ignored: str | None
    in_place: frozenset[str] = frozenset()
    context: str = ""
    named_by: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def read(self, kind: str, answers: Mapping[str, Any], settled: Collection[str] | None = None) -> Adoption:
        """Read the old files.

        Args:
            kind: The kind of image.
            answers: The answers so far.
            settled: The answers that are not defaults. None for all.

        Raises:
            BadInputError: The Dockerfile cannot be parsed.
        """
        from dockertpl import adopt

        if not self.dockerfile:
            return adopt.read_ignore_file(self.ignored or "", path=self.ignore_file, kind=kind, answers=answers)
        adoption = adopt.read(
            self.text,
            path=self.dockerfile,
            kind=kind,
            answers=answers,
            ignore=self.ignored,
            settled=settled,
            context=self.context,
        )
        if self.dockerfile == self.target or self.target not in self.in_place:
            return adoption
        doubt = f"{self.target} also exists. The adopted {self.dockerfile} replaces it."
        return replace(adoption, doubts=(*adoption.doubts, doubt))

    def fill(self, tree: Tree, adoption: Adoption) -> Tree:
        """Return the rendered files with the custom lines from the old files."""
        from dockertpl import adopt

        return adopt.apply(tree, adoption, dockerfile=self.target, ignore_file=self.ignore_file)

    @property
    def paths(self) -> frozenset[str]:
        """The existing files that are replaced."""
        return self.in_place

    @property
    def title(self) -> str:
        """The name of the adopted file, for messages."""
        return self.dockerfile or self.ignore_file


def find(
    root: Path,
    app_dir: str,
    context: str,
    *,
    kind: str = "",
    answers: Mapping[str, Any] | None = None,
    chosen: str = "",
) -> Old | None:
    """Return the files to adopt, or None without a Dockerfile and an ignore file.

    Args:
        root: The repository root, which may not exist yet.
        app_dir: The application's folder.
        context: The build context.
        kind: The kind of image. Without it, only the Dockerfile in the application's folder counts.
        answers: The detected answers.
        chosen: The Dockerfile from --adopt-file.

    Raises:
        DestinationError: The Dockerfile is a link, too large or not text, or several Dockerfiles are possible.
    """
    target = join(app_dir, "Dockerfile")
    usual = _text(root, target) if os.path.lexists(root / target) else None
    found = _choose(root, app_dir, kind, answers or {}, chosen)
    ignore_file = ".dockerignore" if app_dir == "." else f"{target}.dockerignore"
    if not found and usual is None:
        if not kind or not os.path.lexists(root / ignore_file):
            return None
        ignored = _text(root, ignore_file)
        return Old(
            dockerfile="",
            text="",
            target=target,
            ignore_file=ignore_file,
            ignored=ignored,
            in_place=frozenset({ignore_file}),
        )
    first = found[0] if found else None
    source = first.path if first else target
    old_context = (first.context if first else "") or context
    # As the engine does: first the Dockerfile's ignore file, then that of the build context.
    candidates = [ignore_file, f"{source}.dockerignore", join(old_context, ".dockerignore")]
    if source == target:
        candidates = [ignore_file, *([join(app_dir, ".dockerignore")] if context == app_dir else [])]
    there = [path for path in dict.fromkeys(candidates) if os.path.lexists(root / path)]
    texts = [_text(root, path) for path in (there[:1] if source == target else there)]
    return Old(
        dockerfile=source,
        text=first.text if first else usual or "",
        target=target,
        ignore_file=ignore_file,
        ignored="\n".join(texts) if texts else None,
        in_place=frozenset(
            path for path, replaces in ((target, usual is not None), (ignore_file, ignore_file in there)) if replaces
        ),
        context=first.context if first else "",
        named_by=first.named_by if first else (),
        others=tuple(one.path for one in found[1:]),
    )


def _choose(root: Path, app_dir: str, kind: str, answers: Mapping[str, Any], chosen: str) -> list[Candidate]:
    """Return the possible Dockerfiles, the one to adopt first."""
    if not kind:
        return []
    from dockertpl.adopt.choice import Candidate, candidates

    found = candidates(root, app_dir, kind, answers)
    if chosen:
        path = join(chosen)
        if not os.path.lexists(root / path):
            raise DestinationError(f"{chosen} was not found.", "Name a Dockerfile relative to the repository root.")
        own = next((one for one in found if one.path == path), None)
        first = own or Candidate(path=path, text=_text(root, path), weight=0)
        return [first, *(one for one in found if one.path != path)]
    if len(found) > 1 and found[0].weight == found[1].weight:
        same = [one.path for one in found if one.weight == found[0].weight]
        raise SeveralError(
            f"Several Dockerfiles could be this application's: {', '.join(same)}.",
            "Choose one:\n" + "\n".join(f"--adopt-file {shlex.quote(path)}" for path in same),
            dockerfiles=same,
        )
    return found


class SeveralError(DestinationError):
    """Several Dockerfiles are possible. `data["dockerfiles"]` lists them."""


def _text(root: Path, path: str) -> str:
    file = root / path
    why = ""
    content = b""
    try:
        if file.is_symlink() or not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
            why = "is a link or not a file"
        elif file.stat().st_size > MAX_BYTES:
            why = f"is larger than {MAX_BYTES // 1024} KiB"
        else:
            content = file.read_bytes()
            return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        why = f"is not UTF-8 text (line {line})"
    except OSError as error:
        raise MachineError(f"{path} cannot be read: {error.strerror}.") from error
    raise DestinationError(
        f"{path} {why}, so it cannot be adopted.", "Move it away, or replace it with a plain text file."
    )


def backups(root: Path, replaced: Mapping[str, File]) -> list[PlannedFile]:
    """Return copies of old files that are not committed.

    Args:
        root: The repository root.
        replaced: The old files by path.

    Raises:
        DestinationError: A copy already exists.
    """
    # Import late: the wizard's first question does not need these modules.
    from dockertpl import git
    from dockertpl.merge.plan import PlannedFile

    found = []
    committed = git.committed(root, {path: file.content for path, file in replaced.items()})
    for path, file in replaced.items():
        if committed[path]:
            continue
        copy = f"{path}{BACKUP}"
        if os.path.lexists(root / copy):
            raise DestinationError(
                f"{path} is not committed, and {copy} already exists.", f"Commit {path}, or move {copy} away."
            )
        found.append(PlannedFile(path=copy, new=file, old=None))
    return found


@dataclass(frozen=True, kw_only=True)
class AdoptedDockerfile:
    """The old files and the result of their adoption.

    Attributes:
        old: The old files.
        adoption: The result of reading them.
        answers: The answers of the new image.
        copies: Copies of old files that are not committed.
    """

    old: Old
    adoption: Adoption
    answers: Mapping[str, Any]
    copies: tuple[PlannedFile, ...] = ()

    @property
    def lost(self) -> list[AdoptedItem]:
        """The dropped items."""
        return [item for item in self.adoption.items if item.outcome == "dropped"]

    @property
    def overruled(self) -> list[AdoptedItem]:
        """The items of the old files with another answer in the new image."""
        found = []
        for item in self.adoption.items:
            key = item.where.partition(" ")[0]
            if item.outcome != "answer" or key not in self.adoption.answers:
                continue
            wanted, counts = self.adoption.answers[key], self.answers.get(key)
            is_there = item.what in counts if isinstance(counts, list) and item.what in wanted else wanted == counts
            if not is_there:
                found.append(replace(item, where=f"the answer {key} is {counts}"))
        return found

    @property
    def drops(self) -> bool:
        """Whether there are dropped items or doubts."""
        return bool(self.lost or self.adoption.doubts)

    @property
    def needs_a_word(self) -> bool:
        """Whether it needs a confirmation, because of doubts or an important dropped item."""
        return bool(self.adoption.doubts) or any(item.matters for item in self.lost)

    def place(self, item: AdoptedItem) -> str:
        """Return an item's place in the old files."""
        return f"{self.old.dockerfile}:{item.line}" if item.line else "the ignore file"

    def objection(self) -> DestinationError:
        """Return the error for an adoption that needs a confirmation."""
        lines = [f"{self.place(item)}: {item.what} - {item.where}" for item in self.lost if item.matters]
        lines += [f"in doubt: {doubt}" for doubt in self.adoption.doubts]
        return DestinationError(
            "\n  ".join([f"{self.old.title} has steps that the new one would drop:", *lines]),
            "See everything with --dry-run. To drop these steps, add --accept-dropped.",
            dropped=lines,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the adoption for `--json`."""
        return {
            "dockerfile": self.old.dockerfile,
            "items": [asdict(item) for item in self.adoption.items],
            "overruled": [asdict(item) for item in self.overruled],
            "improvements": list(self.adoption.improvements),
            "doubts": list(self.adoption.doubts),
            "backups": [copy.path for copy in self.copies],
        }
