"""Title, text and commit message of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockertpl.fleet.markup import cell, code, fence, link, plain
from dockertpl.fleet.texts.marker import Marker
from dockertpl.fleet.texts.parts import (
    LIMIT,
    OUTCOMES,
    answer,
    command,
    files_address,
    origin,
    rendered,
    shown_within,
    template_link,
    version,
    where,
    within,
    word,
)
from dockertpl.merge.diff import of_changes
from dockertpl.merge.image_update import Upgrade
from dockertpl.merge.pins import Pin
from dockertpl.merge.update import Step
from dockertpl.merge.write import Change

# The most bytes of each part. Together they leave room for a part of the diff.
_CHANGELOG = 16_000
_FILES = 10_000
_PART = 5_000
#: Leave the diff out if less than this would fit.
_LEAST_DIFFERENCE = 200


def title(upgrade: Upgrade, image: str) -> str:
    """Return a pull request's title. It is also the first line of the commit message."""
    new = version(upgrade.pair.new)
    if upgrade.pair.order == "older":
        return f"Downgrade image {word(image)} to template {word(new)}"
    if upgrade.pair.order == "same":
        return f"Render image {word(image)} again with template {word(new)}"
    return f"Update image {word(image)} to template {word(new)}"


def commit_message(upgrade: Upgrade, image: str) -> str:
    """Return the commit message of an update."""
    return rendered(
        "commit.jinja",
        title=title(upgrade, image),
        old=word(version(upgrade.pair.old)),
        new=word(version(upgrade.pair.new)),
        origin=word(origin(upgrade)),
        answers_file=word(upgrade.answers_file),
    )


def body(
    upgrade: Upgrade, image: str, *, digest: str, changelog: str = "", verified: Mapping[str, Any] | None = None
) -> str:
    """Return a pull request's text in Markdown, shorter than `LIMIT` bytes.

    Args:
        upgrade: The update.
        image: The image's name.
        digest: The update's digest, for the marker. Equal digests mean equal updates.
        changelog: The template's changes, from `changelog.changelog`.
        verified: The result of `dockertpl verify --json`, or None if the image was not built.
    """
    marker = Marker(upgrade.answers_file, version(upgrade.pair.new), digest).line()
    news, news_cut = (
        shown_within(changelog, _CHANGELOG, lambda text: fence(text, "markdown")) if changelog else ("", False)
    )
    context = {
        "image": code(image),
        "answers_file": code(upgrade.answers_file),
        "old": code(version(upgrade.pair.old)),
        "new": code(version(upgrade.pair.new)),
        "template": template_link(upgrade),
        "order": upgrade.pair.order,
        "attention": _listed(attention(upgrade)),
        "changelog": news,
        "changelog_cut": news_cut,
        "changelog_link": link("the template's CHANGELOG.md", f"{files_address(upgrade)}CHANGELOG.md"),
        "answers": _listed(_answers(upgrade)),
        "files": _listed(_files(upgrade), _FILES),
        "pins": _listed(_pins(upgrade)),
        "verified": _listed(_verified(verified)),
        "warnings": _listed(plain(warning) for warning in upgrade.warnings),
        "command": fence(command(upgrade), "sh"),
        "marker": marker,
    }
    empty = rendered("proposal.md.jinja", **context, difference="", difference_cut=True)
    room = LIMIT - len(empty.encode()) - _LEAST_DIFFERENCE
    difference, difference_cut = shown_within(_difference(upgrade, room), room, lambda text: fence(text, "diff"))
    return rendered("proposal.md.jinja", **context, difference=difference, difference_cut=difference_cut)


def attention(upgrade: Upgrade, *, conflicts: bool = True) -> Iterator[str]:
    """Yield what a reviewer must check, in Markdown. `conflicts=False` leaves files with conflicts out."""
    for key, (old, new) in upgrade.difference.reset.items():
        why = plain(upgrade.difference.why(key))
        gone = f"The template no longer accepts {code(key)} = {answer(old)}{' ' if why else ''}{why}"
        yield f"{gone}. It is now {answer(new)}."
    for step in upgrade.steps:
        if step.is_conflict:
            if conflicts:
                lines = where(step)
                note = f" It {plain(step.note)}." if step.note else ""
                rest = code(f"{step.path}.rej")
                note += (
                    f" The template's lines are in {rest}: apply what you need, then delete it."
                    if step.rejected
                    else ""
                )
                yield f"{code(step.path)} conflicts{f' in {lines}' if lines else ''}.{note}"
        elif step.person_needed:
            yield f"{code(step.path)} {plain(step.note) or OUTCOMES[step.outcome]}."
        for pin in step.pins:
            if pin.loosened:
                yield f"{_pin(step, pin)} was replaced by {code(pin.template)}, which has no digest."


def _answers(upgrade: Upgrade) -> Iterator[str]:
    difference = upgrade.difference
    for key, value in difference.added.items():
        yield f"new: {code(key)} = {answer(value)}"
    for key, value in difference.removed.items():
        yield f"removed: {code(key)}, was {answer(value)}"
    for key, (old, new) in difference.changed.items():
        yield f"changed: {code(key)} = {answer(new)}, was {answer(old)}"
    for key, (old, new) in difference.reset.items():
        yield f"reset: {code(key)} = {answer(new)}, because the template no longer accepts {answer(old)}"
    for key, (old, new) in difference.not_recomputed.items():
        yield f"kept: {code(key)} = {answer(old)}, but the default is now {answer(new)}"


def _files(upgrade: Upgrade) -> Iterator[str]:
    for step in upgrade.steps:
        if step.outcome != "unchanged":
            yield f"| {cell(step.path)} | {OUTCOMES[step.outcome]} | {plain(step.note)} |"


def _pins(upgrade: Upgrade) -> Iterator[str]:
    for step in upgrade.steps:
        for pin in step.pins:
            if pin.taken == "repository":
                why = "" if pin.known else " It is not known which is newer."
                yield f"{_pin(step, pin)} stays. The template has {code(pin.template)}.{why}"


def _pin(step: Step, pin: Pin) -> str:
    name = f"{code(pin.name)} at " if pin.name else ""
    return f"{name}{code(pin.repository)} in {code(step.path)}"


def _verified(verified: Mapping[str, Any] | None) -> Iterator[str]:
    if verified is None:
        return
    error = verified.get("error")
    if error:
        yield f"**Failed:** {plain(str(error.get('message', '')) if isinstance(error, Mapping) else str(error))}"
    figures = (
        ("build_seconds", "built in {:.1f} s"),
        ("ready_seconds", "ready {:.2f} s after the start"),
        ("image_bytes", "{:,} bytes"),
    )
    for key, words in figures:
        if isinstance(value := verified.get(key), (int, float)):
            yield words.format(value)
    if not error:
        yield "healthy" if verified.get("healthy") else "built but not started"


def _listed(lines: Iterator[str], limit: int = _PART) -> dict[str, Any]:
    kept, left = within(lines, limit)
    return {"lines": kept, "left": left}


def _difference(upgrade: Upgrade, limit: int) -> str:
    """Return the diff, or its beginning if it is longer than the limit."""
    found: list[str] = []
    for step in upgrade.steps:
        if step.changes:
            found.append(of_changes([Change(path=step.path, old=step.old, new=step.new)]))
            limit -= len(found[-1])
        if limit < 0:
            break
    return "".join(found)
