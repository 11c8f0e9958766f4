"""Adopts a Dockerfile that is there: what it does goes into the new one, and the old one stays in Git."""

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

#: The kinds whose images are one application's, and so have a Dockerfile to take over.
#: What is put behind the name of an old file that is in no commit.
BACKUP = ".before-dockertpl"


@dataclass(frozen=True, kw_only=True)
class Old:
    """The files that are there.

    Attributes:
        dockerfile: The path of the Dockerfile that is adopted, from the repository's root; empty if there is none.
        text: What is in it.
        target: Where the new Dockerfile goes.
        ignore_file: Where the new ignore file goes.
        ignored: What the old ignore files hold; None if there is none.
        in_place: Those of the new paths at which a file is replaced.
        context: The build context that a Compose file names; empty if none does.
        named_by: Where a Compose file builds it.
        others: Dockerfiles that might be meant, and are left alone.
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
        """Return what the old files come to.

        Args:
            kind: The kind of image.
            answers: What is answered so far.
            settled: The answers among them that are not defaults; None for all.

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
        doubt = f"{self.target} is there too, and is replaced by what {self.dockerfile} does."
        return replace(adoption, doubts=(*adoption.doubts, doubt))

    def fill(self, tree: Tree, adoption: Adoption) -> Tree:
        """Return the rendered files with what is kept in their regions.

        Args:
            tree: The rendered files.
            adoption: What the old files come to.
        """
        from dockertpl import adopt

        return adopt.apply(tree, adoption, dockerfile=self.target, ignore_file=self.ignore_file)

    @property
    def paths(self) -> frozenset[str]:
        """The files that new ones take the place of."""
        return self.in_place

    @property
    def title(self) -> str:
        """What is adopted, for people."""
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
    """Return the files that could be adopted, or None where there is neither a Dockerfile nor an ignore file.

    Args:
        root: The repository's root, which may not exist yet.
        app_dir: The application's folder.
        context: The build context.
        kind: The kind of image; without it only the Dockerfile in the application's folder counts.
        answers: What is known of the application.
        chosen: The Dockerfile that was chosen.

    Raises:
        DestinationError: The Dockerfile is a link, too large, or not a text; or several could be meant.
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
    # The first of those that the engine reads: the Dockerfile's own, then the build context's.
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
    """Return the Dockerfiles that may be meant, the one to adopt first."""
    if not kind:
        return []
    from dockertpl.adopt.choice import Candidate, candidates

    found = candidates(root, app_dir, kind, answers)
    if chosen:
        path = join(chosen)
        if not os.path.lexists(root / path):
            raise DestinationError(f"{chosen} is not there.", "Name a Dockerfile, relative to the repository's root.")
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
    """Several Dockerfiles could be meant; `data["dockerfiles"]` names them."""


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


def backups(root: Path, replaced: Mapping[str, File]) -> list[PlannedFile]:
    """Return copies of the old files that no commit holds.

    Args:
        root: The repository's root.
        replaced: The old files, by path.

    Raises:
        DestinationError: There is a copy from before, and it is another.
    """
    # On the way to the first question neither is needed.
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
                f"{path} is in no commit, and {copy} is there already.", f"Commit {path}, or move {copy} away."
            )
        found.append(PlannedFile(path=copy, new=file, old=None))
    return found


@dataclass(frozen=True, kw_only=True)
class AdoptedDockerfile:
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
    copies: tuple[PlannedFile, ...] = ()

    @property
    def lost(self) -> list[AdoptedItem]:
        """What the new image does without."""
        return [item for item in self.adoption.items if item.outcome == "dropped"]

    @property
    def overruled(self) -> list[AdoptedItem]:
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
    def drops(self) -> bool:
        """Whether there is something to look at before a yes."""
        return bool(self.lost or self.adoption.doubts)

    @property
    def needs_a_word(self) -> bool:
        """Whether it needs a confirmation, because something that matters is lost or in doubt."""
        return bool(self.adoption.doubts) or any(item.matters for item in self.lost)

    def place(self, item: AdoptedItem) -> str:
        """Return where a thing stands in the old files.

        Args:
            item: The thing.
        """
        return f"{self.old.dockerfile}:{item.line}" if item.line else "the ignore file"

    def objection(self) -> DestinationError:
        """Return the error for what only a person can decide."""
        lines = [f"{self.place(item)}: {item.what} - {item.where}" for item in self.lost if item.matters]
        lines += [f"in doubt: {doubt}" for doubt in self.adoption.doubts]
        return DestinationError(
            "\n  ".join([f"{self.old.title} has steps that the new one would drop:", *lines]),
            "See all of it with --dry-run. To go on without these, add --accept-dropped.",
            dropped=lines,
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` has of it."""
        return {
            "dockerfile": self.old.dockerfile,
            "items": [asdict(item) for item in self.adoption.items],
            "overruled": [asdict(item) for item in self.overruled],
            "improvements": list(self.adoption.improvements),
            "doubts": list(self.adoption.doubts),
            "backups": [copy.path for copy in self.copies],
        }
