"""The texts of a pull request: its title, its body, and the message of its commit."""

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

# How many bytes each part may have, so that together they leave room for some of the difference.
_CHANGELOG = 16_000
_FILES = 10_000
_PART = 5_000
#: Less of the difference than this says nothing.
_LEAST_DIFFERENCE = 200


def title(upgrade: Upgrade, image: str) -> str:
    """Return a pull request's title, which is the first line of its commit's message, too.

    Args:
        upgrade: What the update means.
        image: The image's name.
    """
    new = version(upgrade.pair.new)
    if upgrade.pair.order == "older":
        return f"Take the image {word(image)} back to {word(new)} of its template"
    if upgrade.pair.order == "same":
        return f"Render the image {word(image)} again with {word(new)} of its template"
    return f"Update the image {word(image)} to {word(new)} of its template"


def commit_message(upgrade: Upgrade, image: str) -> str:
    """Return the message of the commit that holds an update.

    Args:
        upgrade: What the update means.
        image: The image's name.
    """
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
    """Return a pull request's text, in Markdown, of less than `LIMIT` bytes.

    Args:
        upgrade: What the update means.
        image: The image's name.
        digest: What the update comes to, for the marker: equal digests are equal updates.
        changelog: What changed in the template, as `changelog.changelog` returns it.
        verified: What `dockertpl verify --json` printed; None if the image was not built.
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
    """Yield what a person has to look at, in Markdown.

    Args:
        upgrade: What the update means.
        conflicts: Whether files with conflicts are among it.
    """
    for key, (old, new) in upgrade.difference.reset.items():
        why = plain(upgrade.difference.why(key))
        taken = f"The template does not take {code(key)} = {answer(old)} any more{' ' if why else ''}{why}"
        yield f"{taken}; it is {answer(new)} now."
    for step in upgrade.steps:
        if step.is_conflict:
            if conflicts:
                lines = where(step)
                note = f" It {plain(step.note)}." if step.note else ""
                rest = code(f"{step.path}.rej")
                note += f" What the template wants there is in {rest}: choose, and remove it." if step.rejected else ""
                yield f"{code(step.path)} conflicts{f' in {lines}' if lines else ''}.{note}"
        elif step.person_needed:
            yield f"{code(step.path)} {plain(step.note) or OUTCOMES[step.outcome]}."
        for pin in step.pins:
            if pin.loosened:
                yield f"{_pin(step, pin)} gave way to {code(pin.template)}, which has no digest."


def _answers(upgrade: Upgrade) -> Iterator[str]:
    difference = upgrade.difference
    for key, value in difference.added.items():
        yield f"new: {code(key)} = {answer(value)}"
    for key, value in difference.removed.items():
        yield f"gone: {code(key)}, which was {answer(value)}"
    for key, (old, new) in difference.changed.items():
        yield f"changed: {code(key)} = {answer(new)}, which was {answer(old)}"
    for key, (old, new) in difference.reset.items():
        yield f"reset: {code(key)} = {answer(new)}, as the template does not take {answer(old)} any more"
    for key, (old, new) in difference.not_recomputed.items():
        yield f"left: {code(key)} = {answer(old)}, though its default is {answer(new)} now"


def _files(upgrade: Upgrade) -> Iterator[str]:
    for step in upgrade.steps:
        if step.outcome != "unchanged":
            yield f"| {cell(step.path)} | {OUTCOMES[step.outcome]} | {plain(step.note)} |"


def _pins(upgrade: Upgrade) -> Iterator[str]:
    for step in upgrade.steps:
        for pin in step.pins:
            if pin.taken == "repository":
                why = "" if pin.known else ", and which of them is newer is not known"
                yield f"{_pin(step, pin)} stays. The template has {code(pin.template)}{why}."


def _pin(step: Step, pin: Pin) -> str:
    name = f"{code(pin.name)} at " if pin.name else ""
    return f"{name}{code(pin.repository)} in {code(step.path)}"


def _verified(verified: Mapping[str, Any] | None) -> Iterator[str]:
    if verified is None:
        return
    error = verified.get("error")
    if error:
        yield f"**It failed:** {plain(str(error.get('message', '')) if isinstance(error, Mapping) else str(error))}"
    figures = (
        ("build_seconds", "built in {:.1f} s"),
        ("ready_seconds", "ready {:.2f} s after its start"),
        ("image_bytes", "{:,} bytes"),
    )
    for key, words in figures:
        if isinstance(value := verified.get(key), (int, float)):
            yield words.format(value)
    if not error:
        yield "healthy" if verified.get("healthy") else "built, and not started"


def _listed(lines: Iterator[str], limit: int = _PART) -> dict[str, Any]:
    kept, left = within(lines, limit)
    return {"lines": kept, "left": left}


def _difference(upgrade: Upgrade, limit: int) -> str:
    """Return the difference as text, or the beginning of one that is too long anyway."""
    found: list[str] = []
    for step in upgrade.steps:
        if step.changes:
            found.append(of_changes([Change(path=step.path, old=step.old, new=step.new)]))
            limit -= len(found[-1])
        if limit < 0:
            break
    return "".join(found)
