"""The hidden line at the end of a pull request or an issue. The next run finds the text by it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

_START = "<!-- dockertpl:fleet "
_LINE = re.compile(rf"^{_START}(\S+) (\S+) (\S+) -->\s*$", re.MULTILINE)


class Marker(NamedTuple):
    """The update that a text is about.

    Attributes:
        answers_file: The image's answers file.
        target: The version after the update.
        digest: The update's digest. Equal digests mean equal updates.
    """

    answers_file: str
    target: str
    digest: str

    def line(self) -> str:
        """Return the hidden line."""
        return f"{start(self.answers_file)}{_escaped(self.target)} {_escaped(self.digest)} -->"


def start(answers_file: str) -> str:
    """Return the beginning of an answers file's line. It is the same for all versions, so it finds an issue."""
    return f"{_START}{_escaped(answers_file)} "


def read(body: str) -> Marker | None:
    """Return the marker of a text from GitHub or GitLab, or None. The last marker counts."""
    found = _LINE.findall(body.replace("\r\n", "\n"))
    return Marker(*map(_read, found[-1])) if found else None


def _escaped(text: str) -> str:
    """Return a word that cannot end an HTML comment, and is never empty."""
    word = quote(text, safe="/", errors="surrogateescape").replace("--", "-%2D")
    return word.replace("-", "%2D") if word == "-" else word or "-"


def _read(word: str) -> str:
    return "" if word == "-" else unquote(word, errors="surrogateescape")
