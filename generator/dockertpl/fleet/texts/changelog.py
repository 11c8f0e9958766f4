"""The part of a template's CHANGELOG.md between two versions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from dockertpl.template.environment import Template
from dockertpl.template.versions import number

_HEADING = re.compile(r"##[ \t]+\[?(?P<version>[^\]\s()]+)\]?(?:\([^)\s]*\))?(?P<rest>.*)")
_FENCE = re.compile(r"[ \t]*(?P<fence>`{3,}|~{3,})")
_DEFINITION = re.compile(r"\[[^\]]+\]:[ \t]")
#: Read no more than this of a changelog.
_MOST_BYTES = 1_000_000


class _Section(NamedTuple):
    version: str
    lines: list[str]


def changelog(text: str, old: str, new: str) -> str:
    """Return the sections of a changelog (https://keepachangelog.com) after one version and up to another.

    Args:
        text: The changelog. Other texts give an empty result.
        old: The version before the update.
        new: The version after it. For a version between releases, include the `Unreleased` section.

    Returns:
        The sections in Markdown, newest first. Empty if no section lies between the two versions, or if one of them
        is not a version number.
    """
    after, upto = number(old), number(new)
    if after is None or upto is None or upto <= after:
        return ""
    wanted = []
    for section in _sections(text):
        version = number(section.version)
        unreleased = section.version.lower() == "unreleased" and upto.is_postrelease
        if unreleased or (version is not None and after < version <= upto):
            body = "\n".join(line for line in section.lines if not _DEFINITION.match(line)).strip()
            if body.count("\n"):
                wanted.append(body)
    return "\n\n".join(wanted)


def of_template(template: Template) -> str:
    """Return the CHANGELOG.md at a template's root, or nothing if it is missing or is not text."""
    # Don't follow a link: it could lead to any file of this machine.
    with suppress(OSError, UnicodeDecodeError):
        path = template.source.root / "CHANGELOG.md"
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8-sig")
    return ""


def _sections(text: str) -> Iterator[_Section]:
    section, fence = None, ""
    for line in text.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark["fence"]
        elif mark and mark["fence"].startswith(fence):
            fence = ""
        heading = None if fence else _HEADING.match(line)
        if heading:
            if section:
                yield section
            # Drop the heading's link: its definition is at the end of the file.
            section = _Section(heading["version"], [f"## {heading['version']}{heading['rest']}"])
        elif section:
            section.lines.append(line)
    if section:
        yield section
