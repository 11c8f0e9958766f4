"""The hidden line at the end of a text, by which the next run knows what it is about."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

_START = "<!-- dockertpl:fleet "
_LINE = re.compile(rf"^{_START}(\S+) (\S+) (\S+) -->\s*$", re.MULTILINE)


class Marker(NamedTuple):
    """What a text is about.

    Attributes:
        answers_file: The image's answers file.
        target: The version that it is to have.
        digest: What the update comes to; equal digests are equal updates.
    """

    answers_file: str
    target: str
    digest: str

    def line(self) -> str:
        """Return the line."""
        return f"{start(self.answers_file)}{_escaped(self.target)} {_escaped(self.digest)} -->"


def start(answers_file: str) -> str:
    """Return what the line of an answers file begins with, whatever the version: an issue is found by it.

    Args:
        answers_file: The answers file's name.
    """
    return f"{_START}{_escaped(answers_file)} "


def read(body: str) -> Marker | None:
    """Return the marker of a text, or None where there is none. The last one counts, as ours is at the end.

    Args:
        body: The text as the forge has it.
    """
    found = _LINE.findall(body.replace("\r\n", "\n"))
    return Marker(*map(_read, found[-1])) if found else None


def _escaped(text: str) -> str:
    """Return a word that ends no comment, and that is never empty."""
    word = quote(text, safe="/", errors="surrogateescape").replace("--", "-%2D")
    return word.replace("-", "%2D") if word == "-" else word or "-"


def _read(word: str) -> str:
    return "" if word == "-" else unquote(word, errors="surrogateescape")
