"""Putting what was kept of an old Dockerfile into the regions of a rendered one."""

from __future__ import annotations

from dataclasses import replace

from dockertpl.adopt.model import Adoption
from dockertpl.errors import BadInputError
from dockertpl.merge import regions
from dockertpl.template.tree import File, Tree


def apply(tree: Tree, adoption: Adoption, *, dockerfile: str, ignore_file: str) -> Tree:
    """Fill the regions of a rendered tree.

    Args:
        tree: The rendered files.
        adoption: What was read of the old ones.
        dockerfile: The path of the new Dockerfile in the tree.
        ignore_file: The path of the new ignore file in it.

    Returns:
        The tree with both files filled; the others are the same objects.

    Raises:
        BadInputError: The tree has no such file.
        RegionError: A file has no region of a name that is to be filled.
    """
    filled = dict(tree)
    contents = {"ignore": adoption.ignored} if adoption.ignored else {}
    for path, texts in ((dockerfile, adoption.regions), (ignore_file, contents)):
        if not texts:
            continue
        if path not in tree:
            raise BadInputError(f"{path} is not among the rendered files.", f"They are: {', '.join(sorted(tree))}.")
        filled[path] = _filled(tree[path], texts)
    return filled


def _filled(file: File, contents: dict[str, str]) -> File:
    return replace(file, content=regions.fill(file.content.decode("utf-8"), contents).encode("utf-8"))
