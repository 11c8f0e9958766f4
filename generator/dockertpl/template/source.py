"""The location of a template: this package, a directory, or a git repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockertpl import __version__
from dockertpl.errors import TemplateError

#: Where the template is published. Copier, `dockertpl update` and Renovate all understand this form.
PUBLISHED = "https://github.com/org/dockertpl.git"

_PACKAGE = Path(__file__).resolve().parent.parent
# Copier's own short forms; see `copier copy --help`.
_ALIASES = (
    (re.compile(r"\Agh:/?(.+?)(?:\.git)?\Z"), r"https://github.com/\1.git"),
    (re.compile(r"\Agl:/?(.+?)(?:\.git)?\Z"), r"https://gitlab.com/\1.git"),
    (re.compile(r"\Agit\+(?=[a-z]+://)"), ""),
)
_REMOTE = re.compile(r"\A(?:[a-z][a-z0-9+.-]*://|[^/@\s]+@[^/:\s]+:)")


@dataclass(frozen=True, kw_only=True)
class TemplateSource:
    """A template on this machine, and its names in an answers file.

    Attributes:
        root: The directory with `copier.yml`.
        src_path: The value of `_src_path`, to fetch the template from again. None is not recorded.
        commit: The value of `_commit`, a tag or commit. None is not recorded.
    """

    root: Path
    src_path: str | None
    commit: str | None


def bundled() -> TemplateSource:
    """Return the template of this package.

    An installed wheel has it inside the package, a checkout beside `generator/`. In both cases the answers file names
    the published repository and this version's tag, so Copier, `dockertpl update` and Renovate can follow it. The
    wheel has the same files as the tag. A checkout with local changes may differ.

    Raises:
        TemplateError: The installation has no template.
    """
    for root in (_PACKAGE / "_bundle", _PACKAGE.parent.parent):
        if (root / "copier.yml").is_file():
            return TemplateSource(root=root, src_path=PUBLISHED, commit=f"v{__version__}")
    raise TemplateError("This installation of dockertpl has no template.", "Install it again.")


def directory(path: Path) -> TemplateSource:
    """Return the template in a directory as it is on disk, committed or not.

    Raises:
        TemplateError: The directory has no `copier.yml`.
    """
    root = path.resolve()
    if not (root / "copier.yml").is_file():
        raise TemplateError(f"{path} is not a template, because it has no copier.yml.")
    return TemplateSource(root=root, src_path=str(path), commit=None)


def is_remote(where: str) -> bool:
    """Return whether a location is a URL (including `file://`) or `user@host:path`. Otherwise it is a path."""
    return _REMOTE.match(where) is not None


def expand(where: str) -> str:
    """Return a location that git can clone: `gh:org/name` and `gl:org/name` become https URLs."""
    for pattern, replacement in _ALIASES:
        where = pattern.sub(replacement, where)
    return where


@contextmanager
def opened(where: str | None = None, ref: str | None = None) -> Iterator[TemplateSource]:
    """Yield a template for the time of a `with` block. A clone is removed after it.

    Args:
        where: A URL, a path or a short form such as `gh:org/name`. None is the bundled template.
        ref: A tag, branch or commit. With it, a path is read as a git repository, too. By default, a git repository
            gives its latest release, else its newest commit.

    Raises:
        TemplateError: The location has no template.
        BadInputError: The repository has no such ref.
        NoGitError: Git is missing or the repository cannot be cloned.
    """
    if where is None and ref is None:
        yield bundled()
        return
    where = PUBLISHED if where is None else where
    url = expand(where)
    if ref is None and not is_remote(url) and not url.endswith(".git"):
        yield directory(Path(where))
        return
    # Imported here, because most runs use the bundled template and need none of these.
    import shutil
    import tempfile

    from dockertpl import git

    parent = Path(tempfile.mkdtemp(prefix="dockertpl-template-"))
    try:
        clone = parent / "template"
        git.clone(url, clone)
        ref = ref or git.latest_release(clone) or "HEAD"
        git.checkout(clone, ref)
        root = directory(clone).root
        yield TemplateSource(root=root, src_path=where, commit=git.name_of(clone, ref))
    finally:
        shutil.rmtree(parent, ignore_errors=True)
