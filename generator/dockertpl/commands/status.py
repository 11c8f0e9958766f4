"""`dockertpl status`: the template and version of each image, newer versions, and edits."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from dockertpl import git
from dockertpl.detect.root import repository_root
from dockertpl.errors import BadInputError, DockertplError, MachineError, NoGitError
from dockertpl.interrupts import terminable
from dockertpl.merge.edited import edited
from dockertpl.merge.image_update import tree
from dockertpl.merge.new_answers import stored_answers
from dockertpl.merge.read_checkout import read_checkout
from dockertpl.merge.update import Local
from dockertpl.screen import WIDTH, cut, printable
from dockertpl.template import answers_files
from dockertpl.template.answers import resolve
from dockertpl.template.tree import File
from dockertpl.template.versions import CURRENT, Versions, named


def run(*, destination: Path, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    """Print for each answers file its template and version, and what was edited since.

    Args:
        destination: A repository, or a folder in it.

    Returns:
        The exit code (1 if an image is outdated, an answers file is not valid, or conflicts are open) and the result
        for `--json`.

    Raises:
        BadInputError: The repository has no answers file.
        MachineError: Git is missing, or a template cannot be fetched. `images` has what is known of the others.
        KeyboardInterrupt: Ctrl-C or SIGTERM.
    """
    root, _ = repository_root(destination)
    found = answers_files.find(root)
    if not found:
        raise BadInputError(f"{root} has no answers file.", "Create an image's files with: dockertpl new")
    with terminable(), Versions() as versions:
        images, failures = [], []
        for owner in found:
            try:
                images.append(_image(root, owner, versions))
            except MachineError as error:
                failures.append(error)
                images.append(_row(owner, state="unknown", note=error.message))
    if not quiet:
        click.echo(printable("\n".join(line for image in images for line in _lines(image))))
    result = {"root": str(root), "images": images}
    if failures:
        raise MachineError(failures[0].message, failures[0].remedy or "Try again with a network.", **result)
    needed = [image for image in images if image["state"] in ("outdated", "unmanaged", "error") or image["unmerged"]]
    return int(bool(needed)), result


def _row(owner: answers_files.Owner, *, state: str, note: str = "", **more: Any) -> dict[str, Any]:
    return {
        "answers_file": owner.path,
        "name": owner.answers.get("name"),
        "kind": owner.answers.get("kind"),
        "template": owner.answers.get("_src_path"),
        "version": owner.answers.get("_commit"),
        "latest": None,
        "state": state,
        "diverged": False,
        "edited": [],
        "missing": [],
        "uncommitted": [],
        "unmerged": [],
        "note": note,
        **more,
    }


def _image(root: Path, owner: answers_files.Owner, versions: Versions) -> dict[str, Any]:
    if owner.problem:
        return _row(owner, state="error", note=owner.problem)
    if not owner.ours:
        return _row(owner, state="foreign", note="belongs to another template")
    try:
        named(owner.answers, owner.path)
    except BadInputError as error:
        return _row(owner, state="unmanaged", note=error.message)
    try:
        latest, order = versions.latest(owner.answers, owner.path)
        template = versions.pair(owner.answers, owner.path, CURRENT).old
        answers = resolve(template, folder_name=root.name, stored=stored_answers(owner.answers))
        rendered = tree(template, answers, owner.path)
        local = read_checkout(root, rendered)
    except MachineError:
        raise
    except DockertplError as error:
        return _row(owner, state="error", note=error.message)
    changed = [path for path in edited(rendered, local) if path != owner.path]
    state = {"newer": "outdated", "older": "ahead", "same": "up-to-date"}[order]
    return _row(
        owner,
        state=state,
        latest=latest,
        diverged=bool(changed),
        edited=changed,
        missing=[path for path in rendered if path not in local],
        **_known_to_git(root, local),
    )


def _known_to_git(root: Path, local: Local) -> dict[str, Any]:
    try:
        unmerged = git.unmerged(root, local)
    except NoGitError as error:
        # For example, a repository of another user. Newer versions are known all the same.
        return {"note": error.message}
    known = git.committed(root, {path: thing.content for path, thing in local.items() if isinstance(thing, File)})
    return {"uncommitted": [path for path, is_there in known.items() if not is_there], "unmerged": unmerged}


def _lines(image: Mapping[str, Any]) -> Iterator[str]:
    yield image["answers_file"]
    version = image["version"] or "no version"
    latest = f", {image['latest']} is available" if image["state"] == "outdated" else ""
    yield cut(f"  state     {image['state']}{', diverged' if image['diverged'] else ''}: {version}{latest}")
    if image["name"]:
        yield cut(f"  image     {image['name']} ({image['kind']})")
    if image["template"]:
        yield cut(f"  template  {image['template']}")
    if image["note"]:
        # Wrap it: nothing else shows the end of a note.
        yield textwrap.fill(
            f"  note      {image['note']}",
            WIDTH,
            subsequent_indent=" " * 12,
            break_long_words=False,
            break_on_hyphens=False,
        )
    for key, title in (
        ("edited", "edited"),
        ("missing", "missing"),
        ("uncommitted", "dirty"),
        ("unmerged", "conflict"),
    ):
        for number, path in enumerate(image[key]):
            yield cut(f"  {'' if number else title:<10}{path}")
    if image["state"] == "outdated":
        yield "  next      dockertpl update --dry-run"
