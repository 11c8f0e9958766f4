"""Where the template is: in this package, in a directory, or in a git repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockertpl import __version__
from dockertpl.errors import TemplateError

#: Where the template is published, in the form that Copier, `dockertpl update` and Renovate all look up.
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
    """A template on this machine, and the names that an answers file has for it.

    Attributes:
        root: The directory that holds `copier.yml`.
        src_path: The answers file's `_src_path`: what it can be fetched from again; None is not recorded.
        commit: The answers file's `_commit`: its tag or commit; None is not recorded.
    """

    root: Path
    src_path: str | None
    commit: str | None


def bundled() -> TemplateSource:
    """Return the template that came with this package.

    In an installed wheel it is inside the package, in a checkout beside `generator/`. Either way the answers file names
    the published repository and this version's tag, so that Copier, `dockertpl update` and Renovate can follow it: the
    wheel's template *is* the tag's. In a checkout with changes of its own that is only nearly true.

    Raises:
        TemplateError: Neither is there; the installation is broken.
    """
    for root in (_PACKAGE / "_bundle", _PACKAGE.parent.parent):
        if (root / "copier.yml").is_file():
            return TemplateSource(root=root, src_path=PUBLISHED, commit=f"v{__version__}")
    raise TemplateError("This installation of dockertpl has no template in it.", "Install it again.")


def directory(path: Path) -> TemplateSource:
    """Return the template in a directory as it is on disk, whatever git says of it.

    Args:
        path: A directory that holds `copier.yml`.

    Raises:
        TemplateError: It does not.
    """
    root = path.resolve()
    if not (root / "copier.yml").is_file():
        raise TemplateError(f"{path} is no template: it has no copier.yml.")
    return TemplateSource(root=root, src_path=str(path), commit=None)


def is_remote(where: str) -> bool:
    """Tell whether a place is written as a URL, of which `file://` is one, or as `user@host:path`; else it is a path.

    Args:
        where: What git can clone.
    """
    return _REMOTE.match(where) is not None


def expand(where: str) -> str:
    """Return what git can clone for a template's name: `gh:org/name` becomes its https URL, and so does `gl:`.

    Args:
        where: A URL, a path or one of Copier's short forms.
    """
    for pattern, replacement in _ALIASES:
        where = pattern.sub(replacement, where)
    return where


@contextmanager
def opened(where: str | None = None, ref: str | None = None) -> Iterator[TemplateSource]:
    """Give a template for the time of a `with` block; a clone is removed after it.

    Args:
        where: A URL, a path or a short form such as `gh:org/name`; None is the bundled template.
        ref: A tag, branch or commit, which makes a path be read as a git repository too. By default a git repository
            gives its latest release, or its newest commit if it has none.

    Raises:
        TemplateError: There is no template.
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
    # The bundled template, which nearly every run has, needs none of these.
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
