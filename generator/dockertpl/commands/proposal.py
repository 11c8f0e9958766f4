"""Propose flags of `verify` for an image that fails because a server or migrations are missing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.commands.with_services import Plan, application
from dockertpl.detect.services import Application
from dockertpl.engine import services
from dockertpl.errors import DockertplError, UnhealthyError

_NO_TABLE = re.compile(
    r"relation \"[^\"]+\" does not exist|UndefinedTable|no such table|Table '[^']+' doesn't exist|\bP2021\b"
)


def propose(subject: Subject, planned: Plan, error: DockertplError) -> str:
    """Return what to start beside a failed image, or an empty text if nothing shows that it needs something.

    Args:
        subject: The image.
        planned: What already runs beside it.
        error: How it failed.
    """
    # The probe's own refused connection means nothing. The text of a bad answer does.
    lines = [line for line in error.message.splitlines() if line.startswith("  | ") or ": status 5" in line]
    log = "\n".join(lines)
    missed = services.unreached(log)
    lacks_setting = isinstance(error, UnhealthyError) and error.lacks_setting
    if _NO_TABLE.search(log):
        return _migrate(planned, application(subject))
    if missed is None and not lacks_setting and ": status 5" not in log:
        return ""
    found = application(subject)
    needed = {name: source for name, entry in _own().items() if (source := found.needs(entry))}
    if missed is None and lacks_setting:
        needed = {name: source for name, source in needed.items() if _names(log, found, name)}
    wanted = [name for name in missed or () if name in needed] or list(missed or needed)
    lacking = [name for name in wanted if not _is_there(name, planned)]
    if not lacking:
        return _elsewhere(planned, wanted) if missed is not None and wanted else ""
    reasons = [f"{_own()[name]['title']}{f', for {needed[name]}' if name in needed else ''}" for name in lacking]
    flags = [*_flags(planned), *(f"--with {found.asks_for(name, _own()[name])}" for name in lacking)]
    if found.migration and not planned.first and any(_own()[name]["secret"] for name in lacking):
        flags.append(f"--run {shlex.quote(found.migration)}")
    verb = "needs" if missed is not None or lacks_setting else "may need"
    what = "it" if len(lacking) == 1 else "them"
    return (
        f"It {verb} {'; and '.join(reasons)}. Start {what} beside the image for one run:\n"
        f"  dockertpl verify {' '.join(flags)}"
    )


def _own() -> Mapping[str, services.Facts]:
    """Return the services, without alternatives such as Valkey for Redis."""
    return {name: entry for name, entry in services.known().items() if "like" not in entry}


def _is_there(name: str, planned: Plan) -> bool:
    return any(name in (one.name, one.facts.get("like")) for one in planned.wanted)


def _names(log: str, found: Application, service: str) -> bool:
    entry = _own()[service]
    names = {*entry["set"], *found.reads(entry)}
    return any(re.search(rf"\b{re.escape(name)}\b", log, re.IGNORECASE) for name in names)


def _flags(planned: Plan) -> list[str]:
    """Return the flags of this run, to repeat them."""
    named = []
    for one in planned.wanted:
        image, colon, version = one.image.rpartition(":")
        own = colon and image == one.facts["image"]
        named.append(
            (f"{one.name}:{version}" if version != one.facts["tag"] else one.name) if own else f"{one.name}={one.image}"
        )
    return [*(f"--with {text}" for text in named), *(f"--run {shlex.quote(shlex.join(one))}" for one in planned.first)]


def _migrate(planned: Plan, found: Application) -> str:
    if not found.migration or planned.first or not planned.wanted:
        return ""
    flags = [*_flags(planned), f"--run {shlex.quote(found.migration)}"]
    return f"Its database has no tables yet. Run its migrations first:\n  dockertpl verify {' '.join(flags)}"


def _elsewhere(planned: Plan, names: Sequence[str]) -> str:
    """Return where a service is that the application does not find."""
    lines = []
    for one in planned.wanted:
        if one.name in names or one.facts.get("like") in names:
            variables = ", ".join(key for key, (owner, _) in planned.templates.items() if owner == one.name)
            place = f"{one.name}:{one.facts['port']}"
            lines.append(f"{one.facts['title']} is ready at {place}. These variables point to it: {variables}.")
    return "\n".join([*lines, "Does the application read its address from another variable, or is it hard-coded?"])
