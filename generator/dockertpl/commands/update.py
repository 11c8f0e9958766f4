"""`dockertpl update`: merge template updates, or changed answers, into a repository."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import click

from dockertpl import git
from dockertpl.commands.advice import git_at
from dockertpl.commands.select_answers_files import chosen
from dockertpl.detect.root import repository_root
from dockertpl.errors import (
    BadInputError,
    ConflictError,
    DestinationError,
    NoGitError,
    NotCommittedError,
    OnlyCopierError,
)
from dockertpl.interrupts import terminable
from dockertpl.merge.diff import of_changes
from dockertpl.merge.image_update import Upgrade, prepare
from dockertpl.merge.read_checkout import read, read_checkout
from dockertpl.merge.update import ConflictMode, Step
from dockertpl.merge.write import Change, write
from dockertpl.screen import printable, say
from dockertpl.template.answers import read_mapping
from dockertpl.template.tree import File
from dockertpl.template.versions import Versions, is_bundled, named

_NETWORK = "Try again with a network."
_DONE = {"created": "new", "updated": "updated", "merged": "merged with yours", "removed": "removed"}


def run(
    *,
    destination: Path,
    to: str | None,
    data: Mapping[str, str],
    answers_files: Sequence[Path],
    conflict: ConflictMode,
    dry_run: bool,
    quiet: bool,
) -> tuple[int, Mapping[str, Any]]:
    """Merge template updates, or changed answers, into a repository. Write all of it or nothing.

    Args:
        destination: The repository's root for all of its images, or an application's folder for its own.
        to: The version to update to. None is the latest release.
        data: Answers as text, by question.
        answers_files: The answers files to act on. Empty means all.
        conflict: What to do if both sides changed the same lines.
        dry_run: Whether to print a diff on stdout and write nothing.

    Returns:
        The exit code (1 if the user has to act) and the result for `--json`.

    Raises:
        BadInputError: The answers files or the answers are not valid, or files are not committed. Nothing was changed.
        ConflictError: There are conflicts and `conflict` is `stop`, or an earlier update left open conflicts.
            Nothing was changed.
        MachineError: The template cannot be fetched, git is missing, or writing failed. Nothing was changed.
        KeyboardInterrupt: Ctrl-C or SIGTERM. Nothing was changed.
    """
    root, app_dir = repository_root(destination)
    names = chosen(root, app_dir, destination, answers_files)
    if data and len(names) > 1 and not answers_files:
        raise BadInputError(
            f"-d would change the answers of several images: {', '.join(names)}.",
            "Name the image with --answers-file. Repeat it to change several.",
        )
    if not dry_run and not (root / ".git").exists():
        raise NotCommittedError(
            f"{root} is not a Git repository, so an update could not be reverted.",
            "Run git init and commit the files, or preview the changes with --dry-run.",
        )
    with terminable(), Versions() as versions:
        upgrades = [_prepared(root, name, versions, to, data, conflict) for name in names]
    _check_solved(root, upgrades)
    changes = _changes(root, upgrades, with_rejected=conflict == "rej")
    result = _result(upgrades)
    conflicts = [step for upgrade in upgrades for step in upgrade.conflicts]
    code = 1 if any(upgrade.person_needed for upgrade in upgrades) else 0
    if dry_run:
        _say(root, upgrades, conflict, quiet)
        text = of_changes(changes)
        if not quiet:
            click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
        would_write, would_remove = _paths([] if conflict == "stop" and conflicts else changes)
        return code, {**result, "dry_run": True, "would_write": would_write, "would_remove": would_remove, "diff": text}
    if conflict == "stop" and conflicts:
        raise ConflictError(
            f"You and the template changed the same lines of {', '.join(step.path for step in conflicts)}.",
            "Nothing was changed. --dry-run shows the diff. --conflict markers writes both sides into the files, and\n"
            "--conflict rej keeps yours and writes the template's to .rej files.",
            **result,
        )
    _check_committed(root, changes, upgrades)
    write(root, _in_order(changes, names), at_last=lambda: _mark(root, conflicts), has_modes=git.has_modes(root))
    _tidy(root, [change.path for change in changes if change.new is None])
    _say(root, upgrades, conflict, quiet)
    written, removed = _paths(changes)
    return code, {**result, "written": written, "removed": removed}


def _prepared(
    root: Path, name: str, versions: Versions, to: str | None, data: Mapping[str, str], conflict: ConflictMode
) -> Upgrade:
    content = read_mapping(root / name)
    try:
        pair = versions.pair(content, name, to)
    except NoGitError as error:
        alone = data and not to and is_bundled(*named(content, name))
        advice = "To change answers without a network, add --to :current:" if alone else _NETWORK
        error.remedy = error.remedy or advice
        raise
    except OnlyCopierError as error:
        options = "".join(f" -d {shlex.quote(f'{key}={value}')}" for key, value in data.items())
        version = f" --vcs-ref {shlex.quote(to)}" if to else ""
        raise OnlyCopierError(
            error.message,
            "It runs its own programs on this machine. If you trust it, update it with Copier:\n"
            f"copier update --trust --answers-file {shlex.quote(name)}{version}{options}",
        ) from error

    def read_mine(paths: Iterable[str]) -> Mapping[str, Any]:
        return read_checkout(root, paths)

    return prepare(name, content, pair, read_mine, data=data, folder_name=root.name, conflict=conflict)


def _changes(root: Path, upgrades: Sequence[Upgrade], *, with_rejected: bool) -> list[Change]:
    """Return the changes: removals, then the rest, by path."""
    changes: dict[str, Change] = {}
    for upgrade in upgrades:
        for change in _of(root, upgrade.steps, with_rejected):
            if change.path in changes:
                raise DestinationError(
                    f"{change.path} belongs to two answers files. One is {upgrade.answers_file}.",
                    "Update them one at a time with --answers-file, or move one of the images to another folder.",
                )
            changes[change.path] = change
    return sorted(changes.values(), key=lambda change: (change.new is not None, change.path))


def _in_order(changes: Iterable[Change], answers_files: Iterable[str]) -> list[Change]:
    """Return the changes with the answers files last, so the next update sees what a `kill -9` left undone.

    Removals follow the rest, because a removed file may continue under another name.
    """
    answers = set(answers_files)
    return sorted(changes, key=lambda change: (change.path in answers, change.new is None))


def _of(root: Path, steps: Iterable[Step], with_rejected: bool) -> Iterator[Change]:
    for step in steps:
        if step.changes:
            yield Change(path=step.path, old=step.old, new=step.new)
        if step.rejected and with_rejected:
            path = f"{step.path}.rej"
            if read(root, [path]):
                raise DestinationError(
                    f"{path} already exists, from an earlier update.",
                    "Copy what you need from it and remove it, then run this again.",
                )
            yield Change(path=path, old=None, new=File(content=step.rejected.encode(errors="surrogateescape")))


def _check_solved(root: Path, upgrades: Iterable[Upgrade]) -> None:
    """Refuse to merge files that still have conflict markers."""
    files = git.unmerged(root, [step.path for upgrade in upgrades for step in upgrade.steps])
    if files:
        raise ConflictError(
            f"These files have unresolved conflicts: {', '.join(files)}.",
            f"Nothing was changed. Resolve them, then: {git_at(root)} add {shlex.join(files)}",
        )


def _check_committed(root: Path, changes: Sequence[Change], upgrades: Sequence[Upgrade]) -> None:
    """Refuse to change files with uncommitted changes, except files without any edits."""
    contents = {change.path: change.old.content for change in changes if change.old is not None}
    if changes:
        # An edited answers file would give the merge a wrong base.
        answers = read(root, [upgrade.answers_file for upgrade in upgrades])
        contents.update({path: thing.content for path, thing in answers.items() if isinstance(thing, File)})
    pristine = {step.path for upgrade in upgrades for step in upgrade.steps if step.outcome in ("updated", "removed")}
    pristine -= {upgrade.answers_file for upgrade in upgrades}
    pristine -= {step.path for upgrade in upgrades for step in upgrade.steps if step.note}
    known = git.committed(root, contents)
    dirty = [path for path, is_there in known.items() if not (is_there or (is_there is None and path in pristine))]
    if dirty:
        shown = ", ".join(sorted(dirty))
        raise NotCommittedError(
            f"These files have uncommitted changes: {shown}.",
            "Commit or stash them first, so you can revert the update:\n"
            f"{git_at(root)} add {shlex.join(sorted(dirty))} && {git_at(root)} commit",
            paths=sorted(dirty),
        )


def _tidy(root: Path, removed: Iterable[str]) -> None:
    """Remove the folders that are empty now. Git does not track them."""
    for path in removed:
        for parent in PurePosixPath(path).parents:
            if str(parent) == ".":
                break
            try:
                (root / parent).rmdir()
            except OSError:
                break


def _mark(root: Path, conflicts: Iterable[Step]) -> None:
    """Mark the files with conflicts in git, so it refuses to commit them."""
    stages = {}
    for step in conflicts:
        if not step.conflicts:
            continue
        sides = ((1, step.base), (2, step.local), (3, step.theirs))
        stages[step.path] = [(stage, file.content, file.executable) for stage, file in sides if file]
    if not stages:
        return
    try:
        git.mark_unmerged(root, stages)
    except NoGitError as error:
        error.remedy = "Nothing was changed. Try again when no other git command runs here."
        raise


# --- output ----------------------------------------------------------------------------------------------------------


def _paths(changes: Iterable[Change]) -> tuple[list[str], list[str]]:
    return (
        [change.path for change in changes if change.new is not None],
        [change.path for change in changes if change.new is None],
    )


def _result(upgrades: Sequence[Upgrade]) -> dict[str, Any]:
    steps = [step for upgrade in upgrades for step in upgrade.steps]
    return {
        "images": [_image(upgrade) for upgrade in upgrades],
        "written": [],
        "removed": [],
        "conflicts": [step.path for step in steps if step.is_conflict],
        "kept": [step.path for step in steps if step.outcome == "kept"],
        "warnings": [warning for upgrade in upgrades for warning in _warnings(upgrade)],
    }


def _image(upgrade: Upgrade) -> dict[str, Any]:
    difference, pair = upgrade.difference, upgrade.pair
    return {
        "answers_file": upgrade.answers_file,
        "template": pair.old.source.src_path,
        "from": pair.old.source.commit,
        "to": pair.new.source.commit,
        "downgrade": pair.order == "older",
        "answers": {
            "added": dict(difference.added),
            "removed": dict(difference.removed),
            **{
                key: {name: {"old": old, "new": new} for name, (old, new) in getattr(difference, key).items()}
                for key in ("changed", "reset", "not_recomputed")
            },
        },
        "files": [
            {
                "path": step.path,
                "outcome": step.outcome,
                "note": step.note,
                "lines": [[conflict.first, conflict.last] for conflict in step.conflicts],
                "pins": [
                    {"name": pin.name, "repository": pin.repository, "template": pin.template, "taken": pin.taken}
                    for pin in step.pins
                ],
            }
            for step in upgrade.steps
            if step.outcome != "unchanged"
        ],
    }


def _warnings(upgrade: Upgrade) -> Iterator[str]:
    name = upgrade.answers_file
    for key, (old, new) in upgrade.difference.reset.items():
        why = upgrade.difference.why(key)
        yield f"{name}: the template no longer accepts {key}={old!r}{why}. It is {new!r} now. To change it: -d {key}=…"
    for warning in upgrade.warnings:
        yield f"{name}: {warning}"
    for step in upgrade.steps:
        if step.note:
            yield f"{step.path} {step.note}."
        yield from (
            f"{step.path}: {pin.name} was pinned to {pin.repository}. It is {pin.template} now, without a digest."
            for pin in step.pins
            if pin.loosened
        )


def _say(root: Path, upgrades: Sequence[Upgrade], conflict: ConflictMode, quiet: bool) -> None:
    for upgrade in upgrades:
        pair = upgrade.pair
        old, new = pair.old.source.commit, pair.new.source.commit
        moves = {"same": f"{old}", "newer": f"{old} -> {new}", "older": f"{old} -> {new}, which is older"}
        lines = [f"{upgrade.answers_file}: {moves[pair.order]}"]
        for step in upgrade.steps:
            if step.is_conflict:
                lines.append(f"  {step.path}: conflict{_where(root, step, conflict)}")
            elif step.changes and step.outcome in _DONE:
                lines.append(f"  {step.path}: {_DONE[step.outcome]}")
        if len(lines) == 1:
            lines.append("  up to date")
        say("\n".join(lines), quiet=quiet)
        for warning in _warnings(upgrade):
            say(f"Warning: {warning}", quiet=quiet)


def _where(root: Path, step: Step, conflict: ConflictMode) -> str:
    if conflict == "stop":
        return "; nothing would be written"
    if step.rejected:
        return f"; yours stays, the template's is in {step.path}.rej"
    lines = ", ".join(str(each.first) for each in step.conflicts)
    return f" in line {lines}: resolve, then {git_at(root)} add {shlex.quote(step.path)}" if lines else "; yours stays"
