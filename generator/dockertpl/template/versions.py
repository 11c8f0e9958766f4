"""The version of a template that an answers file names, and the version to update to."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from dockertpl import git
from dockertpl.errors import BadInputError, NoGitError
from dockertpl.template.environment import Template
from dockertpl.template.source import PUBLISHED, TemplateSource, bundled, expand, is_remote

Order: TypeAlias = Literal["same", "newer", "older"]

#: A value of `--to`: stay on the repository's version and only change answers.
CURRENT = ":current:"

_HASH = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two versions of a template.

    Attributes:
        old: The repository's version.
        new: The version to update to.
        order: Whether the new one is newer, older or the same.
    """

    old: Template
    new: Template
    order: Order


@dataclass
class Versions:
    """The repositories of templates, each cloned once, for any thread. A `with` block removes them at its end."""

    _folder: Path | None = None
    _clones: dict[str, Path] = field(default_factory=dict)
    _templates: dict[tuple[str, str], Template] = field(default_factory=dict)
    _orders: dict[tuple[str, str, str], Order] = field(default_factory=dict)
    _releases: dict[str, str | None] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def pair(self, recorded: Mapping[str, Any], where: str, to: str | None) -> Pair:
        """Return the version that an answers file names and the version to update to.

        Args:
            recorded: The content of the answers file.
            where: Its name, for errors.
            to: A tag, branch or commit, or `CURRENT`. None is the latest release, or the repository's version if that
                is ahead of it.

        Raises:
            BadInputError: The answers file names no version, or the template lacks one of the two.
            NoGitError: The template cannot be cloned, or git is missing.
            TemplateError: A version cannot be read.
        """
        with self._lock:
            return self._pair(*named(recorded, where), to)

    def _pair(self, src_path: str, commit: str, to: str | None) -> Pair:
        old = self._recorded(src_path, commit)
        if to in (CURRENT, commit):
            return Pair(old=old, new=old, order="same")
        if to is None:
            to = self._release(src_path) or "HEAD"
            if self._order(src_path, commit, to) == "older":
                return Pair(old=old, new=old, order="same")
        new = self._template(src_path, to)
        if new.source.commit == commit:
            return Pair(old=old, new=old, order="same")
        return Pair(old=old, new=new, order=self._order(src_path, commit, str(new.source.commit)))

    def latest(self, recorded: Mapping[str, Any], where: str) -> tuple[str, Order]:
        """Return the latest release of an answers file's template, and whether it is newer than the version there.

        Args:
            recorded: The content of the answers file.
            where: Its name, for errors.

        Raises:
            BadInputError: The answers file names no version.
            NoGitError: The template cannot be cloned, or git is missing.
        """
        src_path, commit = named(recorded, where)
        with self._lock:
            release = self.newest(src_path)
            return release, self._order(src_path, commit, release)

    def newest(self, src_path: str, ref: str | None = None) -> str:
        """Return the name of a version for answers files: its release, or what `git describe` says.

        Args:
            src_path: The template.
            ref: A tag, branch or commit. None is the latest release, else the newest commit.

        Raises:
            BadInputError: The template has no such ref.
            NoGitError: The template cannot be cloned, or git is missing.
        """
        with self._lock:
            if ref is None and (release := self._release(src_path)):
                return release
            return git.name_of(self._clone(src_path), ref or "HEAD")

    def order(self, src_path: str, old: str, new: str) -> Order:
        """Return whether a version is newer or older than another, or the same.

        Args:
            src_path: The template.
            old: A tag or commit.
            new: Another.

        Raises:
            NoGitError: The template cannot be cloned, or git is missing.
        """
        with self._lock:
            return self._order(src_path, old, new)

    def _release(self, src_path: str) -> str | None:
        if src_path not in self._releases:
            self._releases[src_path] = git.latest_release(self._clone(src_path))
        return self._releases[src_path]

    def _template(self, src_path: str, ref: str) -> Template:
        key = (src_path, ref)
        if key not in self._templates:
            self._templates[key] = Template(self._source(src_path, ref))
        return self._templates[key]

    def _recorded(self, src_path: str, commit: str) -> Template:
        """Return a version under its name in the answers file, because that name is rendered, too."""
        template = self._template(src_path, commit)
        if template.source.commit == commit:
            return template
        # A ref cannot have two colons, so this key is unique.
        key = (src_path, f"{commit}::")
        if key not in self._templates:
            self._templates[key] = Template(replace(template.source, commit=commit))
        return self._templates[key]

    def _source(self, src_path: str, ref: str) -> TemplateSource:
        if is_bundled(src_path, ref):
            return TemplateSource(root=bundled().root, src_path=src_path, commit=ref)
        clone = self._clone(src_path)
        commit = git.commit_of(clone, ref)
        checkout = self._new_folder("version-")
        git.run("clone", "--quiet", "--shared", "--no-checkout", "--", str(clone), str(checkout))
        git.checkout(checkout, commit)
        return TemplateSource(root=checkout, src_path=src_path, commit=git.name_of(clone, ref))

    def _clone(self, src_path: str) -> Path:
        url = expand(src_path)
        if url not in self._clones:
            clone = self._new_folder("template-")
            try:
                git.clone(url, clone)
            except NoGitError as error:
                remedy = error.remedy
                if not remedy and not is_remote(url):
                    remedy = (
                        f"It is a path relative to {Path.cwd()}. Run this in a folder where it leads to the template,\n"
                        "or write the template's URL as _src_path into the answers file."
                    )
                raise NoGitError(f"The template cannot be read: {error.message}", remedy) from error
            self._clones[url] = clone
        return self._clones[url]

    def _new_folder(self, prefix: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="dockertpl-versions-"))
        # Unique, even after a failed checkout, and across the processes of a fleet that started as one.
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder))

    def _order(self, src_path: str, old: str, new: str) -> Order:
        key = (src_path, old, new)
        if key not in self._orders:
            self._orders[key] = self._compared(*key)
        return self._orders[key]

    def _compared(self, src_path: str, old: str, new: str) -> Order:
        """Compare two versions by their numbers, else by history."""
        if old == new:
            return "same"
        numbers = number(old), number(new)
        if numbers[0] is not None and numbers[1] is not None and numbers[0] != numbers[1]:
            return "newer" if numbers[1] > numbers[0] else "older"
        clone = self._clone(src_path)
        if git.is_ancestor(clone, new, old):
            return "same" if git.is_ancestor(clone, old, new) else "older"
        return "newer"


def named(recorded: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Return the template and the version that an answers file names.

    Args:
        recorded: Its content.
        where: Its name, for the error.

    Raises:
        BadInputError: It lacks one of the two.
    """
    src_path, commit = (str(recorded.get(key) or "") for key in ("_src_path", "_commit"))
    missing = [key for key, value in (("_src_path", src_path), ("_commit", commit)) if not value]
    if missing:
        raise BadInputError(
            f"{where} does not say which template version it was rendered from. It lacks {' and '.join(missing)}.",
            f"Add the lines `_src_path: {PUBLISHED}` and `_commit: vX.Y.Z`, with that version.",
        )
    return src_path, commit


def is_bundled(src_path: str, commit: str) -> bool:
    """Return whether a version of a template is the one in this package, which needs no network."""
    return expand(src_path) == PUBLISHED and commit == bundled().commit


def number(version: str) -> Any:
    """Return a comparable version, or None. `v1.2.0-3-gabc` is three commits after 1.2.0.

    Args:
        version: A tag, or what `git describe` says.
    """
    from packaging.version import Version

    # The hash of an untagged commit may look like a number: `8507c33` as release candidate 33 of version 8507.
    if _HASH.fullmatch(version):
        return None
    tag, dash, rest = version.partition("-")
    count, _, commit = rest.partition("-")
    text = f"{tag}.post{count}" if dash and count.isdigit() and commit.startswith("g") else version
    try:
        return Version(text)
    except ValueError:
        return None
