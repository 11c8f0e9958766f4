"""Find the template's files that the user has edited."""

from __future__ import annotations

from collections.abc import Iterator

from dockertpl.errors import DockertplError
from dockertpl.merge import regions
from dockertpl.merge.line_ends import with_ends_of
from dockertpl.merge.update import Local, Obstacle
from dockertpl.template.tree import File, Tree


def edited(rendered: Tree, local: Local) -> Iterator[str]:
    """Yield the paths of files that differ from their rendering. Custom regions and line ends are not edits.

    Args:
        rendered: The files that the template's version renders.
        local: The files of the repository. A missing file is not an edit.
    """
    for path, file in rendered.items():
        there = local.get(path)
        if there is None or there == file or (isinstance(there, Obstacle) and there.unseen):
            continue
        if isinstance(there, File) and _but_for_regions(file, with_ends_of(there, file)):
            continue
        yield path


def _but_for_regions(rendered: File, local: File) -> bool:
    if rendered == local:
        return True
    if rendered.executable != local.executable:
        return False
    try:
        text, lost = regions.carry(local.content.decode(), rendered.content.decode())
    except (UnicodeDecodeError, DockertplError):
        return False
    return not lost and text.encode() == local.content
