"""Prove that each difference from Copier's update is a named one, in which our update is safer.

A proof uses the three texts and git's own merge of them, and never the claims of our merge. A difference without a
proof is a fault.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeAlias

from tests.merge.scenario_edits import is_answers
from tests.merge.scenario_template import git

from dockertpl.template.tree import File, Tree

#: The content of a file or the target of a link; None if nothing is there.
Thing: TypeAlias = File | str | None

#: The differences in which ours is safer. docs/explanation/updates.md explains each.
DEPARTURES = {
    "pins": "a pin that both sides moved is settled, and the label that repeats it follows",
    "regions": "what stands in a region does not conflict with the lines beside it",
    "kept": "an edited file that the template removes stays",
    "renamed": "what was edited goes with a file that the template renames",
    "link": "a link is not replaced by a file, nor is anything written where it leads",
    "binary": "an edited binary stays; where the template changed it too, that is said",
    "line-ends": "a file with CRLF is merged by its lines, and stays one with CRLF",
    "misapplied": "lines are merged where they belong, and not where similar ones stand",
    "answers-file": "comments in the answers file stay",
    "mode": "an executable bit that one side changed is that side's",
}

_LABELS = ("before updating", "last update", "after updating")
_REGION = re.compile(
    r"(?P<start>^[ \t]*# >>> custom: (?P<name>[\w-]+)[^\n]*\n)(?P<content>.*?)(?P<end>^[ \t]*# <<< custom: (?P=name)$)",
    re.MULTILINE | re.DOTALL,
)
_MARKERS = re.compile(rf"^(?:<<<<<<< {_LABELS[0]}|>>>>>>> {_LABELS[2]})\r?$", re.MULTILINE)
_VERSION = re.compile(r"(?:# v|:)(\d+(?:\.\d+)*)")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The results of both updates of one repository.

    Attributes:
        base: The files of the old version.
        fresh: The files of the new version.
        mine: The repository before the update, with its edits and links.
        words: The unique words of the manual edits.
        theirs: The files after Copier's update.
        ours: The files after our update.
        code: Our exit code.
        result: Our result for `--json`.
    """

    base: Tree
    fresh: Tree
    mine: Mapping[str, Thing]
    words: Collection[str]
    theirs: Mapping[str, Thing]
    ours: Mapping[str, Thing]
    code: int
    result: Mapping[str, Any]

    @property
    def files(self) -> dict[str, Mapping[str, Any]]:
        """Return the report on each path."""
        return {file["path"]: file for image in self.result["images"] for file in image["files"]}


class _Texts(NamedTuple):
    base: str
    fresh: str
    mine: str


def named(seen: Seen, path: str) -> tuple[str, ...]:
    """Return the proven names of a path's differences from Copier's update, or none without a proof.

    Args:
        seen: The results of both updates.
        path: A path at which the two updates differ.
    """
    if _is_linked(seen, path):
        return ("link",) if _stays(seen, path) and _is_said(seen, path) else ()
    if is_answers(path):
        return _answers_file(seen, path)
    mine, ours, theirs = seen.mine.get(path), seen.ours.get(path), seen.theirs.get(path)
    origin = re.search(r"\bwas moved from (\S+?)(?:;|$)", str(seen.files.get(path, {}).get("note", "")))
    if origin and origin[1] in seen.base:
        return _renamed(seen, path, origin[1])
    if theirs is None and path not in seen.fresh:
        edited = isinstance(mine, File) and mine != seen.base.get(path)
        is_kept = ours == mine and path in seen.result["kept"] and seen.code == 1
        return ("kept",) if edited and is_kept else ()
    if not isinstance(mine, File) or not isinstance(ours, File) or path not in seen.fresh:
        return ()
    return _merged(seen, path, mine, ours, theirs, seen.base.get(path))


def unsaid(seen: Seen) -> list[str]:
    """Return the template's paths at or behind a link on which the report has too little or too much.

    Args:
        seen: The results of both updates.
    """
    links = {path for path, thing in seen.mine.items() if isinstance(thing, str)}
    paths = [path for path in {*seen.base, *seen.fresh} if links & {path, *_above(path)}]
    return [path for path in sorted(paths) if not _is_said(seen, path)]


def has_markers(thing: Thing) -> bool:
    """Return whether a file has conflict markers of an update."""
    return isinstance(thing, File) and bool(_MARKERS.search(content_of(thing).decode(errors="surrogateescape")))


def content_of(thing: Thing) -> bytes:
    """Return the text of a file, or nothing if it is not a file."""
    return thing.content if isinstance(thing, File) else b""


# --- each name -------------------------------------------------------------------------------------------------------


def _is_linked(seen: Seen, path: str) -> bool:
    """Return whether a path is a link, is behind a link, or is the target of one."""
    links = {link: target for link, target in seen.mine.items() if isinstance(target, str)}
    ends = {target.removeprefix("../" * link.count("/")) for link, target in links.items()}
    return bool({path, *_above(path)} & {*links, *ends})


def _above(path: str) -> set[str]:
    return {parent.as_posix() for parent in PurePosixPath(path).parents}


def _stays(seen: Seen, path: str) -> bool:
    return seen.ours.get(path) == seen.mine.get(path)


def _is_said(seen: Seen, path: str) -> bool:
    """Return whether the report names a template change that a link keeps out."""
    changed = seen.base.get(path) != seen.fresh.get(path)
    return (path in seen.result["kept"] and seen.code == 1) if changed else path not in seen.result["kept"]


def _answers_file(seen: Seen, path: str) -> tuple[str, ...]:
    mine, ours, theirs = seen.mine.get(path), seen.ours.get(path), seen.theirs.get(path)
    if not (isinstance(mine, File) and isinstance(ours, File) and isinstance(theirs, File)):
        return ()
    names = []
    if theirs.content != ours.content:
        written = [line for line in mine.content.splitlines() if any(word.encode() in line for word in seen.words)]
        lines = ours.content.splitlines()
        without = [line for line in lines if line not in written]
        there = [line for line in lines if line in written]
        if without != seen.fresh[path].content.splitlines() or sorted(there) != sorted(written) or not written:
            return ()
        names.append("answers-file")
    if theirs.executable != ours.executable:
        # No version of the template makes it executable.
        if ours.executable != mine.executable:
            return ()
        names.append("mode")
    return tuple(names)


def _renamed(seen: Seen, path: str, origin: str) -> tuple[str, ...]:
    mine, ours, base, fresh = seen.mine.get(origin), seen.ours.get(path), seen.base[origin], seen.fresh.get(path)
    if not isinstance(mine, File) or not isinstance(ours, File) or fresh is None:
        return ()
    before, after = (file.content.decode(errors="surrogateescape").splitlines() for file in (base, fresh))
    is_move = origin not in seen.fresh and path not in seen.base and path not in seen.mine and origin not in seen.ours
    is_like = difflib.SequenceMatcher(None, before, after, autojunk=False).ratio() >= 0.6
    if not (is_move and is_like and mine != base and seen.theirs.get(path) == fresh):
        return ()
    if not _is_binary(base, fresh, mine) and mine.content != base.content:
        names = _explained(seen, path, _texts(base, fresh, mine), ours.content, None)
        if names is None:
            return ()
        other: tuple[str, ...] = names
    elif mine.content == base.content and ours.content == fresh.content:
        other = ()
    else:
        return ()
    return ("renamed", *other) if ours.executable == _mode(base, fresh, mine) else ()


def _merged(seen: Seen, path: str, mine: File, ours: File, theirs: Thing, base: File | None) -> tuple[str, ...]:
    fresh = seen.fresh[path]
    names: tuple[str, ...] = ()
    if not isinstance(theirs, File) or theirs.content != ours.content:
        found = _content(seen, path, (base, fresh, mine), ours, theirs)
        if not found:
            return ()
        names = found
    if ours.executable != _mode(base, fresh, mine):
        return ()
    if isinstance(theirs, File) and theirs.executable != ours.executable:
        names = (*names, "mode")
    return names


def _content(
    seen: Seen, path: str, sides: tuple[File | None, File, File], ours: File, theirs: Thing
) -> tuple[str, ...] | None:
    base, fresh, mine = sides
    if _is_binary(*sides):
        if ours.content != mine.content or content_of(theirs) != fresh.content:
            return None
        if base and base.content == fresh.content:
            return ("binary",)
        all_differ = len({content_of(side) for side in sides}) == 3
        is_said = path in seen.result["conflicts"] and "not a text" in seen.files[path]["note"] and seen.code == 1
        return ("binary",) if all_differ and is_said else None
    return _explained(seen, path, _texts(*sides), ours.content, theirs)


def _mode(base: File | None, fresh: File, mine: File) -> bool:
    """Return the expected executable bit: from the side that changed it or, if both add the file, the repository."""
    return fresh.executable if base is not None and base.executable == mine.executable else mine.executable


def _is_binary(*files: File | None) -> bool:
    return any(b"\0" in content_of(file) for file in files)


def _texts(*files: File | None) -> _Texts:
    return _Texts(*(content_of(file).decode(errors="surrogateescape") for file in files))


# --- texts -----------------------------------------------------------------------------------------------------------


def _explained(seen: Seen, path: str, texts: _Texts, ours: bytes, theirs: Thing) -> tuple[str, ...] | None:
    """Return the smallest set of names that makes git's own merge of three texts match ours, or None.

    If git's plain merge matches, Copier's file must be the result of its patch, and the name is `misapplied`. Without
    a file of Copier's to compare, no name is needed.
    """
    pins = seen.files.get(path, {}).get("pins", ())
    changes: dict[str, Callable[[_Texts], _Texts]] = {
        "line-ends": _with_lf,
        "regions": _with_regions,
        "pins": partial(_with_pins, pins=pins),
    }
    for count in range(len(changes) + 1):
        for names in combinations(changes, count):
            if "line-ends" in names and not _is_crlf(texts.mine):
                continue
            these = texts
            for name in names:
                these = changes[name](these)
            merged = _merge(these)
            if "line-ends" in names:
                merged = merged.replace("\n", "\r\n")
            if merged.encode(errors="surrogateescape") == ours:
                if names or theirs is None:
                    return names
                return ("misapplied",) if _by_patch(texts) == content_of(theirs) else None
    return None


def _merge(texts: _Texts) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts._asdict().items():
            (Path(folder) / name).write_bytes(text.encode(errors="surrogateescape"))
        labels = [word for label in _LABELS for word in ("-L", label)]
        done = subprocess.run(
            ["git", "merge-file", "-p", *labels, "mine", "base", "fresh"], cwd=folder, capture_output=True, check=False
        )
        return done.stdout.decode(errors="surrogateescape")


def _by_patch(texts: _Texts) -> bytes:
    """Return the text of the new version with the manual edits applied as a patch, as Copier does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        git(folder, "init", "--quiet")
        for text in (texts.base, texts.mine):
            (folder / "file").write_bytes(text.encode(errors="surrogateescape"))
            git(folder, "add", "file")
            git(folder, "commit", "--quiet", "--allow-empty", "--message", "one side")
        patch = subprocess.run(
            ["git", "diff-tree", "--unified=3", "--inter-hunk-context=-1", "-p", "HEAD~", "HEAD"],
            cwd=folder,
            capture_output=True,
            check=True,
        ).stdout
        (folder / "file").write_bytes(texts.fresh.encode(errors="surrogateescape"))
        subprocess.run(["git", "apply"], cwd=folder, input=patch, capture_output=True, check=False)
        return (folder / "file").read_bytes()


def _is_crlf(text: str) -> bool:
    return "\r\n" in text and text.count("\r\n") == text.count("\n")


def _with_lf(texts: _Texts) -> _Texts:
    return _Texts(*(text.replace("\r\n", "\n") for text in texts))


def _with_regions(texts: _Texts) -> _Texts:
    """Copy the repository's content of each common region into all three texts."""
    names = [{found["name"] for found in _REGION.finditer(text)} for text in texts]
    mine = {found["name"]: found["content"] for found in _REGION.finditer(texts.mine)}
    shared = set.intersection(*names)

    def filled(found: re.Match[str]) -> str:
        content = mine[found["name"]] if found["name"] in shared else found["content"]
        return found["start"] + content + found["end"]

    return _Texts(*(_REGION.sub(filled, text) for text in texts))


def _with_pins(texts: _Texts, pins: Sequence[Mapping[str, str]]) -> _Texts:
    """Set each reported pin to its value in all three texts, if it was resolved as the docs promise."""
    base, fresh, mine = texts
    for pin in pins:
        name, repository, template = pin["name"], pin["repository"], pin["template"]
        before = re.search(rf"(?<![\w/-]){re.escape(name)}(?P<value>[@:][^\s\"']+(?: # \S+)?)", base)
        if before is None or name + repository not in mine or name + template not in fresh:
            continue
        if pin["taken"] != _whose(before["value"], template, repository):
            continue
        value = template if pin["taken"] == "template" else repository
        base, fresh, mine = (
            _pinned(text, name, old, value)
            for text, old in ((base, before["value"]), (fresh, template), (mine, repository))
        )
    return _Texts(base, fresh, mine)


def _pinned(text: str, name: str, old: str, new: str) -> str:
    """Change the value of a pin. Give the label that repeats a base image the tag that the build reads."""
    tag = new.split("@")[0]
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if "image.base.name=" in line:
            lines[number] = re.sub(rf'"{re.escape(name)}:[^"]*"', f'"{name}{tag}"', line)
        else:
            lines[number] = line.replace(name + old, name + new)
    return "\n".join(lines)


def _whose(before: str, template: str, repository: str) -> str:
    """Return the side with the effective pin: the only side that changed it, else the newer, else the repository."""
    if repository == before:
        return "template"
    if template == before:
        return "repository"
    found = _VERSION.search(template), _VERSION.search(repository)
    if found[0] is None or found[1] is None:
        return "repository"
    theirs, ours = ([int(part) for part in match[1].split(".")] for match in found if match)
    shorter = min(len(theirs), len(ours))
    return "template" if theirs[:shorter] > ours[:shorter] else "repository"
