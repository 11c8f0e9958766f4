"""`dockertpl pin`: write the current digests of base images into the answers and the Dockerfiles."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import click

from dockertpl.commands.select_answers_files import chosen
from dockertpl.detect.bases import images, mentions
from dockertpl.detect.root import repository_root
from dockertpl.errors import BadInputError
from dockertpl.merge import plan, repin
from dockertpl.merge.edit_text import Edit, apply_edits
from dockertpl.merge.write import Change, write
from dockertpl.registry.client import Resolved
from dockertpl.registry.client import resolve as ask_registry
from dockertpl.registry.reference import mirrors, parse
from dockertpl.screen import printable, say
from dockertpl.template.answers import Answers, read_mapping, resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import answers_path, render
from dockertpl.template.source import PUBLISHED, TemplateSource, bundled, opened
from dockertpl.template.tree import File, Tree

_KEY = "digests"
# A placeholder, to see what a template does with a digest.
_SOME_DIGEST = "sha256:" + 64 * "0"
# The answers that decide which files an answers file owns.
_PLACING = ("kind", "name", "app_dir", "context")
_SHOWN = len("sha256:") + 12


@dataclass(frozen=True, kw_only=True)
class _PinnedFile:
    """An answers file and the files that are rendered from it.

    Attributes:
        path: The answers file's name.
        template: The template that it names.
        stored: The answers in it.
        answers: The same answers, as the template's questions take them.
        rendered: The rendered files.
        pinned: The rendered files that name digests, by path, with the images that they pin.
    """

    path: str
    template: Template
    stored: Mapping[str, Any]
    answers: Answers
    rendered: Tree
    pinned: Mapping[str, tuple[str, ...]]

    @property
    def images(self) -> tuple[str, ...]:
        """The base images, each once."""
        return tuple(dict.fromkeys(image for names in self.pinned.values() for image in names))


@dataclass
class _PinResult:
    """What to do.

    Attributes:
        entries: Every file to look at, with its new content.
        pinned: One entry for each image of an answers file, for `--json`.
        warnings: Warnings to print.
        person_needed: Whether the user has to act on a warning.
    """

    entries: list[plan.PlannedFile] = field(default_factory=list)
    pinned: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    person_needed: bool = False

    def need(self, warning: str) -> None:
        """Add a warning that the user has to act on."""
        self.warnings.append(warning)
        self.person_needed = True


def run(
    *,
    destination: Path,
    answers_files: Sequence[Path],
    registry_mirrors: Sequence[str],
    dry_run: bool,
    quiet: bool,
) -> tuple[int, Mapping[str, Any]]:
    """Pin the base images of a repository's Dockerfiles.

    Args:
        destination: The repository's root for all of its images, or an application's folder for its own.
        answers_files: The answers files to act on. Empty means all.
        registry_mirrors: `HOST=MIRROR` pairs.
        dry_run: Whether to print a diff on stdout and write nothing.

    Returns:
        The exit code (1 if a reference was not found and the user has to act) and the result for `--json`.

    Raises:
        BadInputError: An answers file is missing or not valid. Nothing was changed.
        MachineError: A registry cannot be reached, or writing failed. Nothing was changed.
    """
    root, app_dir = repository_root(destination, missing_ok=True)
    mirrored = mirrors(registry_mirrors)
    names = chosen(root, app_dir, destination, answers_files)
    with ExitStack() as stack:
        subjects = [_subject(root, path, stack) for path in names]
        resolved: dict[str, Resolved] = {}
        for image in dict.fromkeys(image for subject in subjects for image in subject.images):
            say(f"Resolving {image} …", quiet=quiet)
            resolved[image] = ask_registry(parse(image), mirrored)
        outcome = _PinResult()
        for subject in subjects:
            _pin(root, subject, resolved, outcome)
    outcome.warnings += [text for image in resolved if (text := _one_platform(image, resolved[image]))]
    _say(outcome, quiet)
    planned = plan.Plan(root=root, entries=tuple(outcome.entries))
    changed = planned.having("differs")
    paths = [entry.path for entry in changed]
    code = 1 if outcome.person_needed else 0
    result = {"pinned": outcome.pinned, "written": [], "warnings": outcome.warnings}
    if dry_run:
        from dockertpl.merge.diff import unified

        text = unified(planned)
        if not quiet:
            click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
        return code, {**result, "dry_run": True, "would_write": paths, "diff": text}
    write(root, [Change(path=entry.path, old=entry.old, new=entry.new) for entry in changed])
    if paths:
        say("Written:\n" + "\n".join(f"  {path}" for path in paths), quiet=quiet)
    elif not outcome.person_needed:
        say("All base images are up to date. Nothing to do.", quiet=quiet)
    return code, {**result, "written": paths}


def _subject(root: Path, path: str, stack: ExitStack) -> _PinnedFile:
    content = read_mapping(root / path)
    stored = {key: value for key, value in content.items() if not key.startswith("_")}
    template = Template(_source(content, stack))
    answers = resolve(template, folder_name=root.name, stored=stored)
    refused = [key for key in _PLACING if key in stored and answers.values.get(key) != stored[key]]
    if refused:
        raise BadInputError(
            f"{path}: the template does not accept its {' and '.join(refused)}.",
            "\n".join(answers.warnings) or "Restore the answers file, for example from git.",
        )
    bare = _with(template, answers, root, stored, {})
    candidates = dict.fromkeys(
        image for name, file in bare.items() if _is_dockerfile(name) for image in images(file.content.decode())
    )
    # Only ask for what the template pins. A registry may not have the name of a sibling image.
    tried = _with(template, answers, root, stored, dict.fromkeys(candidates, _SOME_DIGEST))
    pinned = {
        name: names
        for name, file in tried.items()
        if (names := tuple(image for image in candidates if f"{image}@{_SOME_DIGEST}".encode() in file.content))
    }
    return _PinnedFile(
        path=path,
        template=template,
        stored=stored,
        answers=answers,
        rendered=render(template, answers),
        pinned=pinned,
    )


def _source(content: Mapping[str, Any], stack: ExitStack) -> TemplateSource:
    """Return the template of an answers file."""
    own = bundled()
    where, commit = (str(content[key]) if content.get(key) else None for key in ("_src_path", "_commit"))
    if where in (None, PUBLISHED) and commit in (None, own.commit):
        return own
    return stack.enter_context(opened(where, commit))


def _with(
    template: Template, answers: Answers, root: Path, stored: Mapping[str, Any], digests: Mapping[str, str]
) -> Tree:
    """Return the files for stored answers with other digests."""
    changed = resolve(template, folder_name=root.name, stored=stored, data={_KEY: dict(digests)})
    return {path: file for path, file in render(template, changed).items() if path != answers_path(template, answers)}


def _pin(root: Path, subject: _PinnedFile, resolved: Mapping[str, Resolved], outcome: _PinResult) -> None:
    """Collect the changes for one answers file."""
    new = {image: resolved[image].digest for image in subject.images}
    stored = subject.answers.values[_KEY]
    digests = {**stored, **new}
    answers = resolve(
        subject.template, folder_name=subject.answers.folder_name, stored=subject.stored, data={_KEY: digests}
    )
    outcome.warnings += [f"{subject.path}: {warning}" for warning in subject.answers.warnings]
    rendered = render(subject.template, answers)
    old = {image: stored.get(image) for image in new}
    for entry in plan.make(root, {path: subject.rendered[path] for path in subject.pinned}).entries:
        names = subject.pinned[entry.path]
        if entry.old is None:
            outcome.need(
                f"{entry.path} does not exist, although {subject.path} owns it. Only the answers have its pins now."
            )
            continue
        text = entry.old.content.decode(errors="surrogateescape")
        if _is_dockerfile(entry.path):
            for image in names:
                found = mentions(text, image)
                old[image] = found[0].digest if found else old[image]
        if entry.old.content == entry.new.content:
            content = rendered[entry.path].content
        elif _is_dockerfile(entry.path):
            fresh = rendered[entry.path].content.decode()
            for image in names:
                text = _moved(text, image, new[image], fresh, entry.path, outcome)
            content = text.encode(errors="surrogateescape")
        else:
            outcome.need(f"{entry.path} was edited. Update its digests by hand.")
            continue
        outcome.entries.append(_changed(entry.path, entry.old, content))
    outcome.entries.append(_answers_entry(root, subject, rendered, digests))
    for image in subject.images:
        outcome.pinned.append(
            {
                "answers_file": subject.path,
                "image": image,
                "old": old[image],
                "new": new[image],
                "platforms": list(resolved[image].platforms),
                "multi_platform": resolved[image].is_multi_platform,
            }
        )


def _moved(text: str, image: str, digest: str, rendered: str, path: str, outcome: _PinResult) -> str:
    """Return an edited Dockerfile with a new digest for one image."""
    found = mentions(text, image)
    if not found:
        others = ", ".join(images(text)) or "no image"
        outcome.need(f"{path} was edited and does not name {image}, so it is not pinned there. It has {others}.")
        return text
    text = apply_edits(text, [Edit(mention.start, mention.end, f"{image}@{digest}") for mention in found])
    is_first = all(mention.digest is None for mention in found)
    # If you removed the label from a pinned file, do not add it again.
    return repin.with_base_digest(text, image, digest, rendered if is_first else "")


def _answers_entry(root: Path, subject: _PinnedFile, rendered: Tree, digests: Mapping[str, str]) -> plan.PlannedFile:
    name = answers_path(subject.template, subject.answers)
    (entry,) = plan.make(root, {subject.path: subject.rendered[name]}).entries
    old = entry.old
    if old is None or subject.stored.get(_KEY, {}) == digests:
        # It was read a moment ago. If it is gone, writing fails.
        return plan.PlannedFile(path=subject.path, old=old, new=old or entry.new)
    if old.content == entry.new.content:
        return _changed(subject.path, old, rendered[name].content)
    text = repin.with_digests(old.content.decode(errors="surrogateescape"), digests, subject.path)
    return _changed(subject.path, old, text.encode(errors="surrogateescape"))


def _changed(path: str, old: File, content: bytes) -> plan.PlannedFile:
    return plan.PlannedFile(path=path, old=old, new=File(content=content, executable=old.executable))


def _is_dockerfile(path: str) -> bool:
    name = PurePosixPath(path).name
    return (name.startswith("Dockerfile") or name.endswith(".Dockerfile")) and not name.endswith(".dockerignore")


def _one_platform(image: str, found: Resolved) -> str:
    """Return a warning for an image with a single platform, else an empty text."""
    if found.is_multi_platform:
        return ""
    what = f"only for {found.platforms[0]}" if found.platforms else "for one platform only, and does not say which"
    return f"{image} is not multi-platform: {'its index' if found.is_index else 'its tag'} is {what}."


def _say(outcome: _PinResult, quiet: bool) -> None:
    say("\n".join(_lines(outcome.pinned)) or "The templates pin no images here.", quiet=quiet)
    for warning in outcome.warnings:
        say(f"Warning: {warning}", quiet=quiet)


def _lines(pinned: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    several = len({entry["answers_file"] for entry in pinned}) > 1
    before = None
    for entry in pinned:
        if several and entry["answers_file"] != before:
            before = entry["answers_file"]
            yield f"{before}:"
        old, new = entry["old"], entry["new"][:_SHOWN]
        move = f"{new} unchanged" if old == entry["new"] else f"{old[:_SHOWN] if old else 'not pinned'} -> {new}"
        yield f"  {entry['image']}: {move} ({', '.join(entry['platforms']) or 'platform unknown'})"
