"""What a Next.js application serves: its pages without parameters, some of its routes, and a file of public/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dockertpl.detect.facts import Served
from dockertpl.detect.node.configuration import config_path
from dockertpl.detect.node.next_config import read
from dockertpl.detect.node.package import Package, is_next, repository_of
from dockertpl.detect.node.routes import answers_to_get, source_folder
from dockertpl.detect.repository import is_within, relative_to

_PAGE = re.compile(r"\.(?:tsx|ts|jsx|js|mdx|md)$")
_PUBLIC = re.compile(r"\.(?:ico|txt|svg|png|jpg|jpeg|webp|gif|json|xml|webmanifest)$")


def served(root: Path, folder: str) -> Iterator[Served]:
    """Yield the pages, the routes and a file of the application in a folder.

    Args:
        root: The repository's root.
        folder: The application's folder, relative to the root.
    """
    repository = repository_of(root)
    if not repository.is_dir(folder) or not is_next(repository, folder):
        return
    package = Package(repository, folder)
    prefix = _base_path(package)
    if prefix is None:
        return
    source = source_folder(package)
    public = []
    for path in repository.files:
        if not is_within(path, folder):
            continue
        inside = relative_to(path, folder)
        if inside.startswith("public/"):
            public.append(inside)
        elif inside.startswith(source) and (url := _url(inside.removeprefix(source))) is not None:
            is_route = url.startswith("/api") or inside.rpartition("/")[2].startswith("route.")
            if is_route and not answers_to_get(inside, repository.text(path) or ""):
                continue
            yield Served(prefix + url or "/", "page", path)
    files = [path for path in public if _PUBLIC.search(path) and re.fullmatch(r"[\w./~-]+", path)]
    if files:
        file = min(files, key=lambda path: (path.count("/"), path))
        yield Served(f"{prefix}/{file.removeprefix('public/')}", "file", file)


def _base_path(package: Package) -> str | None:
    """Return the basePath, or None where it is computed."""
    path = config_path(package)
    base = read(package.repository.text(path) or "").get("basePath") if path else None
    if base is None:
        return ""
    known = base.text if base.text is not None else base.unset
    return known.rstrip("/") if known is not None else None


def _url(inside: str) -> str | None:
    """Return the path of a page or route from its file, or None for other files and paths with parameters."""
    if not _PAGE.search(inside):
        return None
    parts = _PAGE.sub("", inside).split("/")
    if parts[0] == "app" and parts[-1] in ("page", "route"):
        segments = [part for part in parts[1:-1] if not re.fullmatch(r"\([^.].*\)", part)]
    elif parts[0] == "pages":
        segments = parts[1:-1] if parts[-1] == "index" else parts[1:]
        if segments[:1] in (["404"], ["500"]):
            return None
    else:
        return None
    if any(part.startswith(("[", "@", "(", "_")) or "." in part for part in segments):
        return None
    return "".join(f"/{part}" for part in segments)
