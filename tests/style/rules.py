"""What `docs/style.md` asks of a text, as findings."""

from __future__ import annotations

import re
import statistics
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.style.texts import ROOT, SKIPPED, Text, sentences, words

#: No sentence has more words than this.
MOST_WORDS = 30
#: Half of the sentences have this many words or fewer.
MEDIAN_WORDS = 15
#: The longest line of prose in Markdown, in characters.
LONGEST_LINE = 100


@dataclass(frozen=True)
class Phrase:
    """Words to avoid.

    Attributes:
        pattern: What finds them.
        shown: The words, as `docs/style.md` shows them.
        say: What to write instead.
        not_in: The kinds of text in which they may be.
    """

    pattern: re.Pattern[str]
    shown: str
    say: str
    not_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A place where a text breaks a rule."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return the finding as compilers write theirs."""
        return f"{self.path}:{self.line}: {self.message}"


@cache
def phrases() -> list[Phrase]:
    """Return the words to avoid, as `phrases.toml` lists them."""
    read = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text())["phrase"]
    return [
        Phrase(re.compile(each["pattern"], re.IGNORECASE), each["shown"], each["say"], tuple(each.get("not_in", ())))
        for each in read
    ]


def wording(found: Iterable[Text]) -> Iterator[Finding]:
    """Yield the phrases to avoid. Code in backticks may have them."""
    for text in found:
        prose = re.sub(r"`[^`]*`", "`x`", text.text)
        for phrase in phrases():
            if text.kind not in phrase.not_in and (hit := phrase.pattern.search(prose)):
                yield Finding(
                    text.path,
                    text.line,
                    f"{hit.group()!r}: say {phrase.say} | {prose[max(0, hit.start() - 40) : hit.end() + 40]}",
                )


def long_sentences(found: Iterable[Text]) -> Iterator[Finding]:
    """Yield the sentences with more than `MOST_WORDS` words."""
    for text in found:
        for sentence in sentences(text.text):
            if (count := len(words(sentence))) > MOST_WORDS:
                yield Finding(text.path, text.line, f"{count} words: {sentence[:70]}…")


def long_lines(below: Iterable[str]) -> Iterator[Finding]:
    """Yield the lines of prose in Markdown that have over `LONGEST_LINE` characters."""
    for path in below:
        fenced = False
        if path.startswith(SKIPPED):
            continue
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            if re.match(r"\s*(```|~~~)", line):
                fenced = not fenced
            # A line that is one long link or a row of a table cannot be wrapped.
            elif not fenced and not line.startswith("|") and len(line) > LONGEST_LINE and " " in line.strip(" -*")[:80]:
                yield Finding(path, number, f"{len(line)} characters")


def median(found: Iterable[Text]) -> float:
    """Return how many words half of the sentences have at most."""
    lengths = [len(words(each)) for text in found for each in sentences(text.text)]
    return statistics.median(lengths) if lengths else 0
