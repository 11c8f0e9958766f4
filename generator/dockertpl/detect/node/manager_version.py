"""Which release of the package manager: what the repository names, inside what it allows and what wrote the lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import NODES, NPM_OF_NODE, PNPM_LOCKS, default_major, releases
from dockertpl.detect.node.locks import Lock, Pin, family, find_pin, lock_version
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import Span, Version, spans, version
from dockertpl.detect.repository import join, parent
from dockertpl.detect.toolfiles import versions_of
from dockertpl.errors import NotDetectedError

_EXACT = re.compile(r"[vV=]?(\d+\.\d+\.\d+(?:-[A-Za-z0-9.-]+)?)(?:\+.*)?")
#: The managers that refuse to install where `engines` of the package.json does not allow them. Others only warn.
_STRICT = ("pnpm", "yarn")
_ENGINE_STRICT = r"(?m)^[ \t]*engine-strict[ \t]*=[ \t]*true"


class Ask(NamedTuple):
    """A place that asks for a manager's version.

    Attributes:
        text: The version or the range, as it is written.
        path: The file.
        line: The line there.
        binding: Whether the manager refuses another version.
    """

    text: str
    path: str
    line: int | None
    binding: bool

    @property
    def where(self) -> str:
        """Return `file:line`."""
        return f"{self.path}:{self.line}" if self.line else self.path


def find_manager_version(package: Package, found: Detection, lock: Lock) -> None:
    """Answer `manager_version`, where the template's own is not the right one.

    Args:
        package: The application's folder.
        found: Where answer and warnings go; its `node_version` says which npm is there.
        lock: The lock.

    Raises:
        NotDetectedError: No release is inside what the repository allows, or the lock was written by another one.
    """
    given = str(package.given.get("manager_version", ""))
    if given:
        _check_lock(package, lock, given, "manager_version says")
        return
    pin = find_pin(package.repository, package.folder)
    if pin and pin.manager != family(lock.manager):
        pin = None
    asks = [ask for ask in _asks(package, lock, pin) if _readable(ask, lock, found)]
    if exact := next((ask for ask in asks if _EXACT.fullmatch(ask.text)), None):
        _take(package, found, lock, exact, asks)
        return
    majors, why = _of_lock(package, lock, found)
    ranges = [spans(ask.text) or [] for ask in asks]
    fitting = [one for one in _known(lock, ranges) if _fits(one, ranges) and (not majors or one[0] in majors)]
    usual = _usual(package, found, lock)
    if any(one[0] == usual for one in fitting):
        return
    if fitting:
        place = asks[0] if asks else Ask("", lock.path, lock_version(lock, package.repository)[1], binding=False)
        note = f"the newest in {place.text}" if place.text else why
        found.answer("manager_version", ".".join(map(str, max(fitting))), place.path, place.line, note)
    elif any(ask.binding for ask in asks):
        limits = ", ".join(f"{ask.where} asks for {ask.text}" for ask in asks)
        raise NotDetectedError(
            f"No release of {lock.manager} that is suitable: {limits}{f', and {why}' if why else ''}.",
            "Make them agree and update the lock, or set a version with -d manager_version=….",
        )


def _take(package: Package, found: Detection, lock: Lock, exact: Ask, asks: Sequence[Ask]) -> None:
    """Take a version that is named in full."""
    match = _EXACT.fullmatch(exact.text)
    assert match is not None  # noqa: S101
    _check_lock(package, lock, match[1], f"{exact.where} names")
    found.answer("manager_version", match[1], exact.path, exact.line, "")
    number = version(match[1]) or (0, 0, 0)
    for ask in asks:
        if ask.binding and not _fits(number, [spans(ask.text) or []]):
            found.warn(
                f"{exact.where} names {lock.manager} {match[1]}, which {ask.where} ({ask.text}) does not allow: "
                f"{lock.manager} refuses to install. Make them agree."
            )
            return


def _asks(package: Package, lock: Lock, pin: Pin | None) -> Iterator[Ask]:
    """Yield every place that asks for a version, the first that counts first."""
    repository, tool = package.repository, family(lock.manager)
    if pin and pin.version:
        yield Ask(pin.version, pin.path, pin.line, binding=True)
    strict = is_strict(package, lock)
    folder = package.folder
    while True:
        here = Package(repository, folder)
        if text := here.text("volta", tool):
            yield Ask(text, here.path, here.line("volta", tool), binding=False)
        for named in versions_of(repository, folder, (tool, f"npm:{tool}")):
            yield Ask(named.text, named.path, named.line, binding=False)
        if text := here.text("engines", tool):
            yield Ask(text, here.path, here.line("engines", tool), binding=strict)
        if folder == ".":
            return
        folder = parent(folder)


def is_strict(package: Package, lock: Lock) -> bool:
    """Tell whether a manager refuses to install where `engines` of package.json does not allow its version or Node.js.

    Args:
        package: The application's folder.
        lock: The lock.
    """
    settings = (package.repository.text(join(folder, ".npmrc")) or "" for folder in (package.folder, lock.folder))
    return lock.manager in _STRICT or any(re.search(_ENGINE_STRICT, text) for text in settings)


def _readable(ask: Ask, lock: Lock, found: Detection) -> bool:
    if spans(ask.text) is not None:
        return True
    if ask.binding:
        found.warn(f"{ask.where}: {ask.text[:40]} is not a version range of {lock.manager}, so it is ignored.")
    return False


def _known(lock: Lock, ranges: Sequence[Sequence[Span]]) -> list[Version]:
    """Return the releases to choose from: the newest of each major version, and the first in each range."""
    known = [version(text) or (0, 0, 0) for text in releases(lock.manager)]
    majors = {one[0] for one in known}
    return known + [span.low for allowed in ranges for span in allowed if span.low[0] in majors]


def _fits(one: Version, ranges: Sequence[Sequence[Span]]) -> bool:
    return all(any(span.low <= one < span.high for span in allowed) for allowed in ranges)


def _usual(package: Package, found: Detection, lock: Lock) -> int:
    """Return the major version that is installed where nothing is answered."""
    if lock.manager != "npm":
        return default_major(lock.manager)
    node = package.given.get("node_version") or found.answers.get("node_version") or NODES[0]
    return NPM_OF_NODE.get(str(node), 0)


def _of_lock(package: Package, lock: Lock, found: Detection) -> tuple[list[int], str]:
    """Return the major versions that read a lock as it is, and a few words that say so; none where any does."""
    if lock.manager == "yarn-berry":
        return list(range(2, 10)), f"{lock.path} was written by Yarn 2 or newer"
    if lock.manager != "pnpm":
        return [], ""
    text, line = lock_version(lock, package.repository)
    where = f"{lock.path}:{line}" if line else lock.path
    known = PNPM_LOCKS.get(text.partition(".")[0])
    if known is None:
        found.warn(f"{where}: lockfileVersion {text or 'none'} is unknown. The build shows whether pnpm can read it.")
        return [], ""
    return known, f"{where} (lockfileVersion {text}) was written by {_names(known)}"


def _names(majors: Sequence[int]) -> str:
    return " or ".join(f"pnpm {one}" for one in majors)


def _check_lock(package: Package, lock: Lock, wanted: str, says: str) -> None:
    """Refuse a version that does not read the lock."""
    major = (version(wanted) or (0, 0, 0))[0]
    if lock.manager == "pnpm":
        text, line = lock_version(lock, package.repository)
        known = PNPM_LOCKS.get(text.partition(".")[0])
        if known and major not in known:
            where = f"{lock.path}:{line}" if line else lock.path
            raise NotDetectedError(
                f"{where}: lockfileVersion {text} was written by {_names(known)}, but {says} pnpm {wanted}.",
                "Run `pnpm install` with that version and commit the lock, or use the version that wrote it.",
            )
    elif family(lock.manager) == "yarn" and (major == 1) != (lock.manager == "yarn"):
        raise NotDetectedError(
            f"{lock.path} was written by {'Yarn 1' if lock.manager == 'yarn' else 'Yarn 2 or newer'}, but {says} "
            f"Yarn {wanted}.",
            "Run `yarn install` with that version and commit the lock, or use the version that wrote it.",
        )
