"""Put the kept lines of an old Dockerfile into the regions of a rendered one."""

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
        adoption: The result of reading the old files.
        dockerfile: The path of the new Dockerfile in the tree.
        ignore_file: The path of the new ignore file in the tree.

    Returns:
        The tree with both files filled. The other files are the same objects.

    Raises:
        BadInputError: The tree lacks one of the files.
        RegionError: A file lacks a region.
    """
    filled = dict(tree)
    contents = {"ignore": adoption.ignored} if adoption.ignored else {}
    for path, texts in ((dockerfile, adoption.regions), (ignore_file, contents)):
        if not texts:
            continue
        if path not in tree:
            raise BadInputError(f"{path} is not among the rendered files.", f"Use one of: {', '.join(sorted(tree))}.")
        filled[path] = _filled(tree[path], texts)
    return filled


def _filled(file: File, contents: dict[str, str]) -> File:
    return replace(file, content=regions.fill(file.content.decode("utf-8"), contents).encode("utf-8"))
