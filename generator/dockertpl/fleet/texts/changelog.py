"""What changed in a template between two of its versions, as its CHANGELOG.md says it."""

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
#: More of a file is not read.
_MOST_BYTES = 1_000_000


class _Section(NamedTuple):
    version: str
    lines: list[str]


def changelog(text: str, old: str, new: str) -> str:
    """Return the sections of a changelog (https://keepachangelog.com) after one version and up to another.

    Args:
        text: The changelog; what is none gives nothing.
        old: The version that is left.
        new: The one that is gone to; of one that is no release also what is unreleased.

    Returns:
        Markdown as it is written there, the newest first; nothing where no section is between the two, or where
        the versions are no numbers.
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
    """Return the changelog that a version of a template has at its root; nothing where it has none that is text.

    Args:
        template: The version. A link is not followed: it could lead to any file of this machine.
    """
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
            # Its link's definition is at the file's end, and stays there.
            section = _Section(heading["version"], [f"## {heading['version']}{heading['rest']}"])
        elif section:
            section.lines.append(line)
    if section:
        yield section
