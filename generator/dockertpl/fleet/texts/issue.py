"""Title and text of the issue about an update that conflicts."""

from __future__ import annotations

from collections.abc import Iterator

from dockertpl.fleet.markup import cell, code, fence, plain
from dockertpl.fleet.texts.marker import Marker
from dockertpl.fleet.texts.parts import command, rendered, template_link, version, where, within, word
from dockertpl.fleet.texts.proposal import attention
from dockertpl.merge.image_update import Upgrade

_FILES = 30_000
_REST = 15_000


def title(upgrade: Upgrade, image: str) -> str:
    """Return the title of an issue."""
    return f"Update image {word(image)} to template {word(version(upgrade.pair.new))} (needs a decision)"


def body(upgrade: Upgrade, image: str, *, digest: str) -> str:
    """Return the text of an issue, in Markdown. It names the lines that conflict, but does not quote them.

    Args:
        upgrade: The update.
        image: The image's name.
        digest: The update's digest, for the marker. Equal digests mean equal updates.
    """
    files, files_left = within(_files(upgrade), _FILES)
    rest, rest_left = within(attention(upgrade, conflicts=False), _REST)
    return rendered(
        "issue.md.jinja",
        image=code(image),
        answers_file=code(upgrade.answers_file),
        old=code(version(upgrade.pair.old)),
        new=code(version(upgrade.pair.new)),
        template=template_link(upgrade),
        files={"lines": files, "left": files_left},
        rest={"lines": rest, "left": rest_left},
        command=fence(command(upgrade), "sh"),
        marker=Marker(upgrade.answers_file, version(upgrade.pair.new), digest).line(),
    )


def _files(upgrade: Upgrade) -> Iterator[str]:
    for step in upgrade.conflicts:
        yield f"| {cell(step.path)} | {where(step) or 'the whole file'} | {plain(step.note)} |"
